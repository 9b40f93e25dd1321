import { describe, expect, it } from "vitest";

import { makePacket } from "../support/packets";
import { flushPromises } from "../support/engine-harness";
import { LockstepHarness } from "../support/lockstep-harness";

/** Returns the order in which messages of these types were sent. */
function order(harness: LockstepHarness, ...types: string[]): string[] {
  return harness.socket.sent.map(({ type }) => type).filter((type) => types.includes(type));
}

describe("lockstep", () => {
  it("L1 lockstep is requested if offered, and the page steps the game", async () => {
    const harness = await LockstepHarness.open();
    const socket = harness.startEpisode();
    expect(socket.sentOfType("start")[0]?.mode).toBe("lockstep");
    expect(harness.phase.kind).toBe("playing");
    harness.advance(1000);
    const { first, actions } = harness.sentSteps();
    expect(first).toBe(0);
    expect(actions.length).toBeGreaterThan(50);
    expect(harness.engine.getSnapshot().steppedBy).toBe("page");
    expect(new Set(actions)).toEqual(new Set([0]));
    expect(socket.sentOfType("input")).toEqual([]);
    expect(harness.engine.getSnapshot().lives).toBe(5);
  });

  it("L1 failed emulator download falls back to streamed", async () => {
    const harness = await LockstepHarness.open(new Error("404"));
    harness.engine.start();
    harness.platform.advance(1800);
    expect(harness.socket.sentOfType("start")[0]?.mode).toBe("streamed");
    harness.socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    harness.socket.events.binary(makePacket({ frame: 0, lives: 3 }));
    expect(harness.phase.kind).toBe("playing");
    expect(harness.engine.getSnapshot().lives).toBe(3);
    expect(harness.engine.getSnapshot().steppedBy).toBe("server");
  });

  it("S1 lockstep steps include sound only while it is enabled", async () => {
    const harness = await LockstepHarness.open();
    const setup = { keys: {}, touch: false, hand: "right" as const, gamepads: [] };
    harness.engine.setVolume(0.5);
    harness.startEpisode();
    harness.advance(200);
    expect(harness.output.playedSteps).toEqual([]);
    harness.engine.updateSetup({ ...setup, sound: true });
    harness.advance(200);
    harness.engine.updateSetup({ ...setup, sound: false });
    const { playedSteps } = harness.output;
    expect(playedSteps.length).toBeGreaterThan(8);
    expect(playedSteps.map(({ samples }) => samples[0])).toEqual(
      playedSteps.map(({ frame }) => frame),
    );
    harness.advance(200);
    expect(harness.output.playedSteps).toHaveLength(playedSteps.length);
  });

  it("L2 each input is sent with the first step that it can affect", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    harness.engine.input.press("fire", "keyboard", "Space", harness.platform.now());
    harness.advance(200);
    harness.engine.input.release("keyboard", "Space", harness.platform.now());
    harness.advance(300);
    const { actions, inputs } = harness.sentSteps();
    const [down, up] = inputs;
    expect(down?.slice(1)).toEqual(["fire", true]);
    expect(up?.slice(1)).toEqual(["fire", false]);
    expect(actions.indexOf(1)).toBe(down?.[0]);
    expect(actions.lastIndexOf(1)).toBe((up?.[0] ?? 0) - 1);
    expect(harness.engine.getSnapshot().score).toBe(2 * actions.filter((a) => a === 1).length);
  });

  it("L2 steps are sent before the paint times and the pause that follow them", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(1000);
    harness.engine.pause();
    const steps = harness.sentSteps().actions.length;
    expect(order(harness, "ticks", "pause").at(-1)).toBe("pause");
    let sent = 0;
    for (const message of harness.socket.sent) {
      if (message.type === "ticks") sent += message.actions.length;
      if (message.type === "shown") {
        for (const [frame] of message.frames) expect(frame).toBeLessThanOrEqual(sent);
      }
    }
    harness.advance(1000);
    expect(harness.sentSteps().actions.length).toBe(steps);
    expect(harness.phase).toEqual({ kind: "paused", reason: "player" });
  });

  it("resume after a pause continues the step count", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    harness.engine.pause();
    harness.socket.deliver({ type: "paused", reason: "player" });
    harness.engine.resume();
    harness.advance(1800);
    expect(harness.phase.kind).toBe("playing");
    harness.advance(500);
    expect(order(harness, "pause", "resume")).toEqual(["pause", "resume"]);
    const firsts = harness.socket
      .sentOfType("ticks")
      .map(({ first, actions }) => [first, actions.length]);
    for (const [index, [first, length]] of firsts.slice(0, -1).entries()) {
      expect(firsts[index + 1]?.[0]).toBe((first ?? 0) + (length ?? 0));
    }
  });

  it("terminated lockstep episode ends with the server's ended", async () => {
    const harness = await LockstepHarness.open();
    harness.game.terminatesAt = 30;
    harness.startEpisode();
    harness.advance(1000);
    expect(harness.sentSteps().actions.length).toBe(30);
    expect(harness.phase.kind).toBe("playing");
    harness.socket.deliver({
      type: "ended",
      episode: "e1",
      status: "lost",
      reason: "terminated",
      score: 0,
      n_steps: 30,
    });
    expect(harness.phase.kind).toBe("ended");
  });
});

describe("lockstep reconnect", () => {
  it("L5 reconnect sends the steps that the server misses", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    harness.acknowledgeAll();
    const before = harness.sentSteps().actions.length;
    harness.advance(250);
    await harness.dropConnection();
    expect(harness.phase.kind).toBe("playing");
    harness.advance(3000);
    harness.welcome("playing", "e1");
    harness.deliverStarted("e1", before);
    const { first, actions } = harness.sentSteps();
    expect(first).toBe(before);
    expect(harness.socket.sentOfType("ticks").length).toBe(1);
    expect(actions.length).toBeGreaterThan(3 * 55);
    expect(harness.phase.kind).toBe("playing");
    harness.advance(500);
    expect(harness.socket.sentOfType("shown").length).toBeGreaterThan(0);
    expect(harness.sentSteps().actions.length).toBeGreaterThan(actions.length);
  });

  it("L5 disconnected game pauses after away_ms and resumes after the reconnect", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    harness.acknowledgeAll();
    const before = harness.sentSteps().actions.length;
    await harness.dropConnection();
    harness.advance(25_000);
    await flushPromises();
    expect(harness.phase.kind).toBe("reconnecting");
    harness.welcome("playing", "e1");
    harness.deliverStarted("e1", before);
    expect(harness.sentSteps().actions.length).toBeGreaterThan(20 * 59);
    expect(harness.sentSteps().actions.length).toBeLessThan(21 * 61);
    expect(order(harness, "ticks", "pause").at(-1)).toBe("pause");
    expect(harness.phase).toEqual({ kind: "paused", reason: "connection" });
    const frozen = harness.sentSteps().actions.length;
    harness.engine.resume();
    harness.advance(1800 + 500);
    expect(harness.phase.kind).toBe("playing");
    expect(harness.sentSteps().actions.length).toBeGreaterThan(frozen + 20);
  });

  it("L5 resume while disconnected waits for the reconnect", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    harness.acknowledgeAll();
    const before = harness.sentSteps().actions.length;
    await harness.dropConnection();
    harness.engine.pause();
    harness.engine.resume();
    harness.advance(1800);
    expect(harness.phase.kind).toBe("reconnecting");
    harness.welcome("playing", "e1");
    harness.deliverStarted("e1", before);
    expect(order(harness, "ticks", "pause", "resume")).toEqual(["ticks", "pause"]);
    expect(harness.phase).toEqual({ kind: "paused", reason: "connection" });
  });

  it("L5 reconnect without the episode enters phase episode-lost", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    await harness.dropConnection();
    harness.welcome("ready");
    expect(harness.phase.kind).toBe("episode-lost");
    harness.advance(500);
    expect(harness.sentSteps().actions).toEqual([]);
  });

  it("L5 reconnect after a page reload falls back to streamed", async () => {
    const harness = await LockstepHarness.open();
    await harness.dropConnection();
    harness.welcome("playing", "e1");
    harness.deliverStarted("e1", 120);
    expect(harness.socket.sentOfType("stream").length).toBe(1);
    harness.socket.deliver({ type: "paused", reason: "connection" });
    harness.socket.events.binary(makePacket({ frame: 120, lives: 2 }));
    expect(harness.phase).toEqual({ kind: "paused", reason: "connection" });
    expect(harness.engine.getSnapshot().lives).toBe(2);
  });
});

describe("lockstep fallback", () => {
  it("L7 diverged episode is ended by the server, and the next one is streamed", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    harness.socket.deliver({
      type: "ended",
      episode: "e1",
      status: "incomplete",
      reason: "diverged",
      score: 0,
      n_steps: 12,
    });
    expect(harness.phase.kind).toBe("ended");
    const steps = harness.sentSteps().actions.length;
    harness.engine.start();
    harness.platform.advance(1800);
    harness.socket.deliver({ type: "started", episode: "e2", server_us: 1, lockstep: null });
    harness.socket.events.binary(makePacket({ frame: 0, lives: 4 }));
    harness.engine.input.press("fire", "keyboard", "Space", harness.platform.now());
    harness.advance(500);
    expect(harness.sentSteps().actions.length).toBe(steps);
    expect(harness.socket.sentOfType("input").length).toBe(1);
    expect(harness.engine.getSnapshot().lives).toBe(4);
  });

  it("different digest of the server switches to streamed", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    const last = harness.socket.sentOfType("ticks").at(-1);
    const steps = (last?.first ?? 0) + (last?.actions.length ?? 0);
    harness.socket.deliver({ type: "ticked", n_steps: steps, digest: 1 });
    expect(harness.socket.sentOfType("stream").length).toBe(1);
  });

  it("emulator failure sends the taken steps and switches to streamed", async () => {
    const harness = await LockstepHarness.open();
    harness.game.throwsAt = 40;
    harness.startEpisode();
    harness.advance(1000);
    await flushPromises();
    expect(harness.sentSteps().actions.length).toBe(39);
    expect(order(harness, "ticks", "stream").at(-1)).toBe("stream");
    expect(harness.engine.getSnapshot().steppedBy).toBe("server");
    harness.socket.deliver({ type: "paused", reason: "connection" });
    expect(harness.phase).toEqual({ kind: "paused", reason: "connection" });
  });

  it("slow device switches to streamed", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    for (
      let second = 0;
      second < 40 && harness.socket.sentOfType("stream").length === 0;
      second++
    ) {
      harness.advance(700);
      harness.platform.stall(100);
      harness.acknowledgeAll();
    }
    expect(harness.socket.sentOfType("stream")[0]?.reason).toBeTruthy();
    harness.socket.deliver({ type: "paused", reason: "connection" });
    expect(harness.phase).toEqual({ kind: "paused", reason: "connection" });
  });

  it("stalled game is paused with a notice", async () => {
    const harness = await LockstepHarness.open();
    harness.startEpisode();
    harness.advance(500);
    const steps = harness.sentSteps().actions.length;
    harness.platform.stall(2000);
    harness.advance(100);
    expect(order(harness, "ticks", "pause").at(-1)).toBe("pause");
    expect(harness.phase).toEqual({ kind: "paused", reason: "player" });
    expect(harness.sentSteps().actions.length).toBeLessThan(steps + 10);
    expect(harness.engine.getSnapshot().notice).not.toBeNull();
  });
});
