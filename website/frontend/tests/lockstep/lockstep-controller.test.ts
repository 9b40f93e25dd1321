import { describe, expect, it } from "vitest";

import { makePacket } from "../support/packets";
import { flushPromises } from "../support/engine-harness";
import { LockstepHarness } from "../support/lockstep-harness";

/** Returns the order in which messages of these types were sent. */
function order(table: LockstepHarness, ...types: string[]): string[] {
  return table.socket.sent.map(({ type }) => type).filter((type) => types.includes(type));
}

describe("lockstep", () => {
  it("L1 lockstep is requested if offered, and the page steps the game", async () => {
    const table = await LockstepHarness.open();
    const socket = table.startEpisode();
    expect(socket.sentOfType("start")[0]?.mode).toBe("lockstep");
    expect(table.phase.kind).toBe("playing");
    table.advance(1000);
    const { first, actions } = table.sentSteps();
    expect(first).toBe(0);
    expect(actions.length).toBeGreaterThan(50);
    expect(table.engine.getSnapshot().steppedBy).toBe("page");
    expect(new Set(actions)).toEqual(new Set([0]));
    expect(socket.sentOfType("input")).toEqual([]);
    expect(table.engine.getSnapshot().lives).toBe(5);
  });

  it("L1 failed emulator download falls back to streamed", async () => {
    const table = await LockstepHarness.open(new Error("404"));
    table.engine.start();
    table.platform.advance(1800);
    expect(table.socket.sentOfType("start")[0]?.mode).toBe("streamed");
    table.socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    table.socket.events.binary(makePacket({ frame: 0, lives: 3 }));
    expect(table.phase.kind).toBe("playing");
    expect(table.engine.getSnapshot().lives).toBe(3);
    expect(table.engine.getSnapshot().steppedBy).toBe("server");
  });

  it("S1 lockstep steps include sound only while it is enabled", async () => {
    const table = await LockstepHarness.open();
    const setup = { keys: {}, touch: false, hand: "right" as const, gamepads: [] };
    table.engine.setVolume(0.5);
    table.startEpisode();
    table.advance(200);
    expect(table.output.playedSteps).toEqual([]);
    table.engine.updateSetup({ ...setup, sound: true });
    table.advance(200);
    table.engine.updateSetup({ ...setup, sound: false });
    const { playedSteps } = table.output;
    expect(playedSteps.length).toBeGreaterThan(8);
    expect(playedSteps.map(({ samples }) => samples[0])).toEqual(
      playedSteps.map(({ frame }) => frame),
    );
    table.advance(200);
    expect(table.output.playedSteps).toHaveLength(playedSteps.length);
  });

  it("L2 each input is sent with the first step that it can affect", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    table.engine.input.press("fire", "keyboard", "Space", table.platform.now());
    table.advance(200);
    table.engine.input.release("keyboard", "Space", table.platform.now());
    table.advance(300);
    const { actions, inputs } = table.sentSteps();
    const [down, up] = inputs;
    expect(down?.slice(1)).toEqual(["fire", true]);
    expect(up?.slice(1)).toEqual(["fire", false]);
    expect(actions.indexOf(1)).toBe(down?.[0]);
    expect(actions.lastIndexOf(1)).toBe((up?.[0] ?? 0) - 1);
    expect(table.engine.getSnapshot().score).toBe(2 * actions.filter((a) => a === 1).length);
  });

  it("L2 steps are sent before the paint times and the pause that follow them", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(1000);
    table.engine.pause();
    const steps = table.sentSteps().actions.length;
    expect(order(table, "ticks", "pause").at(-1)).toBe("pause");
    let sent = 0;
    for (const message of table.socket.sent) {
      if (message.type === "ticks") sent += message.actions.length;
      if (message.type === "shown") {
        for (const [frame] of message.frames) expect(frame).toBeLessThanOrEqual(sent);
      }
    }
    table.advance(1000);
    expect(table.sentSteps().actions.length).toBe(steps);
    expect(table.phase).toEqual({ kind: "paused", reason: "player" });
  });

  it("resume after a pause continues the step count", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    table.engine.pause();
    table.socket.deliver({ type: "paused", reason: "player" });
    table.engine.resume();
    table.advance(1800);
    expect(table.phase.kind).toBe("playing");
    table.advance(500);
    expect(order(table, "pause", "resume")).toEqual(["pause", "resume"]);
    const firsts = table.socket
      .sentOfType("ticks")
      .map(({ first, actions }) => [first, actions.length]);
    for (const [index, [first, length]] of firsts.slice(0, -1).entries()) {
      expect(firsts[index + 1]?.[0]).toBe((first ?? 0) + (length ?? 0));
    }
  });

  it("terminated lockstep episode ends with the server's ended", async () => {
    const table = await LockstepHarness.open();
    table.game.terminatesAt = 30;
    table.startEpisode();
    table.advance(1000);
    expect(table.sentSteps().actions.length).toBe(30);
    expect(table.phase.kind).toBe("playing");
    table.socket.deliver({
      type: "ended",
      episode: "e1",
      status: "lost",
      reason: "terminated",
      score: 0,
      n_steps: 30,
    });
    expect(table.phase.kind).toBe("ended");
  });
});

describe("lockstep reconnect", () => {
  it("L5 reconnect sends the steps that the server misses", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    table.acknowledgeAll();
    const before = table.sentSteps().actions.length;
    table.advance(250);
    await table.dropConnection();
    expect(table.phase.kind).toBe("playing");
    table.advance(3000);
    table.welcome("playing", "e1");
    table.deliverStarted("e1", before);
    const { first, actions } = table.sentSteps();
    expect(first).toBe(before);
    expect(table.socket.sentOfType("ticks").length).toBe(1);
    expect(actions.length).toBeGreaterThan(3 * 55);
    expect(table.phase.kind).toBe("playing");
    table.advance(500);
    expect(table.socket.sentOfType("shown").length).toBeGreaterThan(0);
    expect(table.sentSteps().actions.length).toBeGreaterThan(actions.length);
  });

  it("L5 disconnected game pauses after away_ms and resumes after the reconnect", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    table.acknowledgeAll();
    const before = table.sentSteps().actions.length;
    await table.dropConnection();
    table.advance(25_000);
    await flushPromises();
    expect(table.phase.kind).toBe("reconnecting");
    table.welcome("playing", "e1");
    table.deliverStarted("e1", before);
    expect(table.sentSteps().actions.length).toBeGreaterThan(20 * 59);
    expect(table.sentSteps().actions.length).toBeLessThan(21 * 61);
    expect(order(table, "ticks", "pause").at(-1)).toBe("pause");
    expect(table.phase).toEqual({ kind: "paused", reason: "connection" });
    const frozen = table.sentSteps().actions.length;
    table.engine.resume();
    table.advance(1800 + 500);
    expect(table.phase.kind).toBe("playing");
    expect(table.sentSteps().actions.length).toBeGreaterThan(frozen + 20);
  });

  it("L5 resume while disconnected waits for the reconnect", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    table.acknowledgeAll();
    const before = table.sentSteps().actions.length;
    await table.dropConnection();
    table.engine.pause();
    table.engine.resume();
    table.advance(1800);
    expect(table.phase.kind).toBe("reconnecting");
    table.welcome("playing", "e1");
    table.deliverStarted("e1", before);
    expect(order(table, "ticks", "pause", "resume")).toEqual(["ticks", "pause"]);
    expect(table.phase).toEqual({ kind: "paused", reason: "connection" });
  });

  it("L5 reconnect without the episode enters phase episode-lost", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    await table.dropConnection();
    table.welcome("ready");
    expect(table.phase.kind).toBe("episode-lost");
    table.advance(500);
    expect(table.sentSteps().actions).toEqual([]);
  });

  it("L5 reconnect after a page reload falls back to streamed", async () => {
    const table = await LockstepHarness.open();
    await table.dropConnection();
    table.welcome("playing", "e1");
    table.deliverStarted("e1", 120);
    expect(table.socket.sentOfType("stream").length).toBe(1);
    table.socket.deliver({ type: "paused", reason: "connection" });
    table.socket.events.binary(makePacket({ frame: 120, lives: 2 }));
    expect(table.phase).toEqual({ kind: "paused", reason: "connection" });
    expect(table.engine.getSnapshot().lives).toBe(2);
  });
});

describe("lockstep fallback", () => {
  it("L7 diverged episode is ended by the server, and the next one is streamed", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    table.socket.deliver({
      type: "ended",
      episode: "e1",
      status: "incomplete",
      reason: "diverged",
      score: 0,
      n_steps: 12,
    });
    expect(table.phase.kind).toBe("ended");
    const steps = table.sentSteps().actions.length;
    table.engine.start();
    table.platform.advance(1800);
    table.socket.deliver({ type: "started", episode: "e2", server_us: 1, lockstep: null });
    table.socket.events.binary(makePacket({ frame: 0, lives: 4 }));
    table.engine.input.press("fire", "keyboard", "Space", table.platform.now());
    table.advance(500);
    expect(table.sentSteps().actions.length).toBe(steps);
    expect(table.socket.sentOfType("input").length).toBe(1);
    expect(table.engine.getSnapshot().lives).toBe(4);
  });

  it("different digest of the server switches to streamed", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    const last = table.socket.sentOfType("ticks").at(-1);
    const steps = (last?.first ?? 0) + (last?.actions.length ?? 0);
    table.socket.deliver({ type: "ticked", n_steps: steps, digest: 1 });
    expect(table.socket.sentOfType("stream").length).toBe(1);
  });

  it("emulator failure sends the taken steps and switches to streamed", async () => {
    const table = await LockstepHarness.open();
    table.game.throwsAt = 40;
    table.startEpisode();
    table.advance(1000);
    await flushPromises();
    expect(table.sentSteps().actions.length).toBe(39);
    expect(order(table, "ticks", "stream").at(-1)).toBe("stream");
    expect(table.engine.getSnapshot().steppedBy).toBe("server");
    table.socket.deliver({ type: "paused", reason: "connection" });
    expect(table.phase).toEqual({ kind: "paused", reason: "connection" });
  });

  it("slow device switches to streamed", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    for (let second = 0; second < 40 && table.socket.sentOfType("stream").length === 0; second++) {
      table.advance(700);
      table.platform.stall(100);
      table.acknowledgeAll();
    }
    expect(table.socket.sentOfType("stream")[0]?.reason).toBeTruthy();
    table.socket.deliver({ type: "paused", reason: "connection" });
    expect(table.phase).toEqual({ kind: "paused", reason: "connection" });
  });

  it("stalled game is paused with a notice", async () => {
    const table = await LockstepHarness.open();
    table.startEpisode();
    table.advance(500);
    const steps = table.sentSteps().actions.length;
    table.platform.stall(2000);
    table.advance(100);
    expect(order(table, "ticks", "pause").at(-1)).toBe("pause");
    expect(table.phase).toEqual({ kind: "paused", reason: "player" });
    expect(table.sentSteps().actions.length).toBeLessThan(steps + 10);
    expect(table.engine.getSnapshot().notice).not.toBeNull();
  });
});
