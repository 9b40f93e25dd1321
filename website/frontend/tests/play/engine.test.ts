import { beforeEach, describe, expect, test } from "vitest";

import type { Pace } from "@/play/engine";

import { makePacket } from "../support/packets";
import type { FakeSocket } from "../support/sockets";
import { ENDED, flushPromises, EngineHarness } from "../support/engine-harness";

let harness: EngineHarness;

beforeEach(() => lay());

async function lay(pace?: Pace): Promise<void> {
  harness = await EngineHarness.open(pace);
}

const inputs = (socket: FakeSocket) =>
  socket.sentOfType("input").map(({ control, down }) => `${control} ${down ? "down" : "up"}`);

describe("start", () => {
  test("[O1] nothing but hello is sent before the welcome", () => {
    const socket = harness.sockets.last;
    socket.events.opened();
    harness.engine.start();
    harness.engine.reportFocus("blur", 1);
    harness.platform.advance(3000);
    expect(socket.sent.map(({ type }) => type)).toEqual(["hello"]);
    expect(socket.sentOfType("hello")[0]).toMatchObject({ protocol: 1, at: 1000, refresh_hz: 60 });
    expect(harness.phase).toEqual({ kind: "connecting" });
  });

  test("[O2] real-time game counts down before the start", () => {
    const socket = harness.sockets.last;
    socket.welcome();
    expect(harness.phase).toEqual({ kind: "ready" });
    harness.engine.start();
    const beats = [3, 2, 1].map((left) => {
      expect(harness.phase).toEqual({ kind: "countdown", beatsLeft: left, then: "start" });
      harness.platform.advance(600);
      return left;
    });
    expect(beats).toHaveLength(3);
    expect(harness.phase).toEqual({ kind: "starting", then: "start" });
    expect(socket.sentOfType("start")).toHaveLength(1);
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    expect(harness.phase).toEqual({ kind: "playing" });
  });

  test("[O15] caption is shown from before the start on, until another one arrives", () => {
    const socket = harness.sockets.last;
    socket.welcome();
    expect(harness.engine.getSnapshot().caption).toBeNull();
    socket.deliver({ type: "caption", text: "go fetch a green ball" });
    expect(harness.engine.getSnapshot().caption).toBe("go fetch a green ball");
    socket.deliver({ type: "caption", text: "" });
    expect(harness.engine.getSnapshot().caption).toBe("");
  });

  test("[F7] keyframe of another size changes the size of the screen", () => {
    const socket = harness.sockets.last;
    socket.welcome();
    harness.engine.start();
    harness.platform.advance(1800);
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    socket.events.binary(makePacket());
    expect(harness.engine.getSnapshot().size).toEqual({ width: 2, height: 1 });
    socket.events.binary(makePacket({ frame: 1, rectangle: [0, 0, 3, 1], rows: [[0, 0, 0]] }));
    expect(harness.engine.getSnapshot().size).toEqual({ width: 3, height: 1 });
  });

  test("[O17] ghost of the welcome is in the snapshot, and paints are passed on after their report", () => {
    const socket = harness.sockets.last;
    const ghost = { episode: "e0", seed: "same" } as const;
    socket.welcome("ready", { ghost });
    expect(harness.engine.getSnapshot().ghost).toEqual(ghost);
    const frames: number[] = [];
    const stop = harness.engine.watchPaints((frame) => frames.push(frame));
    harness.engine.start();
    harness.platform.advance(1800);
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    for (const frame of [0, 1, 2]) {
      socket.events.binary(makePacket({ frame, isKeyframe: frame === 0 }));
      harness.platform.runAnimationFrame();
      if (frame === 1) stop();
    }
    expect(frames).toEqual([0, 1]);
  });

  test("[O18] player lets others watch, and the link is forgotten with the connection", () => {
    const socket = harness.sockets.last;
    socket.welcome();
    const watchable = () => harness.engine.getSnapshot().watchable;
    expect(watchable()).toEqual({ token: null, n_watchers: 0 });
    harness.engine.setWatchable(true);
    expect(socket.sentOfType("watch")).toEqual([{ type: "watch", at: 1000, allowed: true }]);
    socket.deliver({ type: "watchable", token: "t", n_watchers: 2 });
    expect(watchable()).toEqual({ token: "t", n_watchers: 2 });
    socket.welcome();
    expect(watchable()).toEqual({ token: null, n_watchers: 0 });
  });

  test("[O10] preview is painted before the countdown and not reported", () => {
    const socket = harness.sockets.last;
    socket.welcome();
    socket.events.binary(makePacket({ preview: true, colours: [[1, 2, 3]] }));
    harness.platform.runAnimationFrame();
    expect(harness.screen.updates.map(({ firstPixel }) => firstPixel)).toEqual([0xff030201]);
    harness.engine.start();
    harness.platform.advance(1800);
    expect(socket.sentOfType("shown")).toEqual([]);
    expect(socket.sentOfType("start")).toHaveLength(1);
  });

  test("[O10] preview after the end is painted only when the next episode starts", () => {
    const socket = harness.startEpisode();
    socket.events.binary(makePacket({ frame: 1, last: true, colours: [[9, 9, 9]] }));
    harness.platform.runAnimationFrame();
    socket.deliver(ENDED);
    const before = harness.screen.updates.length;
    socket.events.binary(makePacket({ preview: true, colours: [[1, 2, 3]] }));
    harness.platform.runAnimationFrame();
    expect(harness.screen.updates).toHaveLength(before);
    harness.engine.start();
    harness.platform.runAnimationFrame();
    expect(harness.screen.updates.at(-1)?.firstPixel).toBe(0xff030201);
  });

  test("turn-based game starts without a countdown and counts steps", async () => {
    await lay({ kind: "turn-based" });
    harness.sockets.last.welcome();
    harness.engine.start();
    harness.sockets.last.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    harness.sockets.last.events.binary(makePacket({ frame: 4 }));
    expect(harness.engine.getSnapshot()).toMatchObject({ steps: 4, seconds: 0, lives: null });
  });

  test("snapshot has score, lives and time of the newest packet", () => {
    const socket = harness.startEpisode();
    socket.events.binary(makePacket({ frame: 150, isKeyframe: false, score: 12.5, lives: 3 }));
    expect(harness.engine.getSnapshot()).toMatchObject({
      score: 12.5,
      lives: 3,
      seconds: 2,
      steps: 0,
    });
  });

  test("pings follow the period of the welcome and give the latency", () => {
    const socket = harness.sockets.last;
    socket.welcome();
    harness.platform.advance(25);
    socket.deliver({ type: "pong", id: 0, received_us: 1, sent_us: 2 });
    harness.platform.advance(1000);
    expect(harness.engine.getSnapshot().latencyMs).toBe(25);
    expect(socket.sentOfType("ping").map(({ previous }) => previous)).toEqual([null, [0, 1025]]);
  });

  test("[F2] painted frames are reported, dropped frames are not", () => {
    const socket = harness.startEpisode();
    socket.events.binary(makePacket({ frame: 1, isKeyframe: false }));
    socket.events.binary(makePacket({ frame: 2, isKeyframe: false }));
    harness.platform.runAnimationFrame();
    harness.platform.advance(100);
    expect(socket.sentOfType("shown")).toEqual([
      {
        type: "shown",
        received: 2,
        frames: [
          [0, 2800],
          [2, 2800],
        ],
      },
    ]);
  });
});

describe("input", () => {
  test("[I1] input is sent with the frame that was on the screen", () => {
    const socket = harness.startEpisode();
    harness.platform.advance(16);
    socket.events.binary(makePacket({ frame: 1, isKeyframe: false }));
    harness.platform.runAnimationFrame();
    harness.engine.input.press("fire", "keyboard", "Space", 2810);
    harness.engine.input.release("keyboard", "Space", 2817);
    expect(socket.sentOfType("input")).toEqual([
      {
        type: "input",
        control: "fire",
        down: true,
        at: 2810,
        frame: 0,
        device: "keyboard",
        code: "Space",
      },
      {
        type: "input",
        control: "fire",
        down: false,
        at: 2817,
        frame: 1,
        device: "keyboard",
        code: "Space",
      },
    ]);
  });

  test("key held during the countdown is pressed at the start", () => {
    const socket = harness.sockets.last;
    socket.welcome();
    harness.engine.start();
    harness.engine.input.press("left", "keyboard", "ArrowLeft", 1500);
    harness.platform.advance(1800);
    expect(inputs(socket)).toEqual([]);
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    expect(socket.sentOfType("input")).toMatchObject([{ control: "left", at: 1500, frame: null }]);
  });

  test("turn-based game ignores a key held before the start", async () => {
    await lay({ kind: "turn-based" });
    const socket = harness.sockets.last;
    socket.welcome();
    harness.engine.input.press("pole-1", "keyboard", "Digit1", 1);
    harness.engine.start();
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    expect(inputs(socket)).toEqual([]);
  });

  test("window blur releases all controls and pauses a real-time game", () => {
    const socket = harness.startEpisode();
    harness.engine.input.press("left", "keyboard", "ArrowLeft", 2800);
    harness.engine.reportFocus("blur", 2900);
    const after = socket.sent.slice(socket.sent.findIndex(({ type }) => type === "input"));
    expect(after.map(({ type }) => type)).toEqual(["input", "input", "focus", "pause"]);
    expect(inputs(socket)).toEqual(["left down", "left up"]);
    expect(harness.phase).toEqual({ kind: "paused", reason: "focus" });
  });

  test("[O41] window blur pauses a turn-based game only if an agent moves in it", async () => {
    const turnBased = await EngineHarness.open({ kind: "turn-based" });
    const socket = turnBased.startEpisode();
    turnBased.engine.reportFocus("blur", 2900);
    expect(socket.sentOfType("pause")).toEqual([]);
    socket.deliver({ type: "actor", actor: "agent", agent: "random" });
    turnBased.engine.reportFocus("blur", 3000);
    expect(socket.sentOfType("pause")).toHaveLength(1);
    expect(turnBased.phase).toEqual({ kind: "paused", reason: "focus" });
  });

  test("pause releases held controls and resume presses them again", () => {
    const socket = harness.startEpisode();
    harness.engine.input.press("left", "touch", "pad-left-1", 2800);
    harness.engine.pause();
    expect(inputs(socket)).toEqual(["left down", "left up"]);
    harness.engine.resume();
    harness.platform.advance(1800);
    socket.deliver({ type: "resumed" });
    expect(harness.phase).toEqual({ kind: "playing" });
    expect(inputs(socket)).toEqual(["left down", "left up", "left down"]);
  });

  test("keys are captured only while the game runs or starts", () => {
    expect(harness.engine.keyUse()).toBe("free");
    const socket = harness.startEpisode();
    expect(harness.engine.keyUse()).toBe("captured");
    socket.deliver(ENDED);
    expect(harness.engine.keyUse()).toBe("suppressed");
  });
});

describe("end", () => {
  test("ended episode gives its result, and the next one uses the same socket", () => {
    const socket = harness.startEpisode();
    socket.deliver(ENDED);
    expect(harness.phase).toEqual({
      kind: "ended",
      episode: "e1",
      status: "lost",
      reason: "terminated",
      score: 7,
      steps: 40,
    });
    harness.engine.start();
    harness.platform.advance(1800);
    socket.deliver({ type: "started", episode: "e2", server_us: 1, lockstep: null });
    expect(harness.engine.getSnapshot()).toMatchObject({ phase: { kind: "playing" }, score: 0 });
    expect(harness.sockets.all).toHaveLength(1);
  });

  test("leave sends leave and waits for ended", () => {
    const socket = harness.startEpisode();
    harness.engine.leave();
    expect(harness.phase).toEqual({ kind: "leaving", thenRestart: false });
    expect(socket.sentOfType("leave")).toHaveLength(1);
    socket.deliver({ ...ENDED, status: "incomplete" });
    expect(harness.phase.kind).toBe("ended");
  });

  test("close is idempotent and prevents a reconnect", () => {
    const socket = harness.startEpisode();
    harness.engine.close();
    harness.engine.close();
    expect(socket.isClosedByPage).toBe(true);
    socket.events.closed(1006, "");
    harness.platform.advance(60_000);
    expect(harness.sockets.all).toHaveLength(1);
    expect(harness.platform.pendingTimers).toBe(0);
  });
});

describe("restart", () => {
  test("restart ends the episode and then counts down", () => {
    const socket = harness.startEpisode();
    harness.engine.restart();
    expect(harness.phase).toEqual({ kind: "leaving", thenRestart: true });
    socket.deliver({ ...ENDED, status: "incomplete", reason: "left" });
    expect(harness.phase).toEqual({ kind: "countdown", beatsLeft: 3, then: "start" });
  });

  test("restart is cancelled by a reconnect without the episode", async () => {
    harness.startEpisode();
    harness.engine.restart();
    harness.sockets.last.events.closed(1006, "");
    harness.platform.advance(300);
    await flushPromises();
    harness.sockets.last.welcome("ended");
    expect(harness.phase).toEqual({ kind: "episode-lost" });
  });
});

describe("setup", () => {
  test("[O9] setup is sent after each welcome and at each change", () => {
    const keys = { up: ["KeyI"] };
    const setup = { keys, touch: false, hand: "right" as const, gamepads: [], sound: false };
    harness.engine.updateSetup(setup);
    expect(harness.sockets.last.sentOfType("setup")).toEqual([]);
    harness.sockets.last.welcome();
    harness.engine.updateSetup({ ...setup, hand: "left" });
    expect(harness.sockets.last.sentOfType("setup").map(({ hand }) => hand)).toEqual([
      "right",
      "left",
    ]);
  });
});

describe("agent", () => {
  test("[O41] its pace is sent after each welcome and at each change", async () => {
    harness.engine.setUpAgent({ interval_ms: 500, mode: "take-over" });
    expect(harness.sockets.last.sentOfType("agent")).toEqual([]);
    harness.sockets.last.welcome();
    harness.engine.setUpAgent({ interval_ms: null, mode: "together" });
    const paces = () => harness.sockets.last.sentOfType("agent").map((sent) => sent.interval_ms);
    expect(paces()).toEqual([500, null]);
    harness.sockets.last.events.closed(1006, "");
    harness.platform.advance(300);
    await flushPromises();
    harness.sockets.last.welcome();
    expect(paces()).toEqual([null]);
  });
});

describe("reason", () => {
  test("[O41] reason of a takeover is sent", () => {
    const socket = harness.startEpisode();
    harness.engine.giveReason("danger");
    expect(socket.sentOfType("reason").map(({ reason }) => reason)).toEqual(["danger"]);
  });
});

describe("score that JSON cannot hold", () => {
  test.each([
    ["Infinity", Infinity],
    ["-Infinity", -Infinity],
    ["NaN", NaN],
  ] as const)("written as %s ends the episode with that number", (written, score) => {
    const socket = harness.startEpisode();
    socket.events.binary(makePacket({ frame: 1, score }));
    socket.deliver({ ...ENDED, score: written });
    expect(harness.phase).toMatchObject({ kind: "ended", score });
    expect(harness.engine.getSnapshot().score).toBe(score);
  });
});
