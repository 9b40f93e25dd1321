import { beforeEach, describe, expect, test } from "vitest";

import type { Pace } from "@/play/engine";

import { makePacket } from "../support/packets";
import type { FakeSocket } from "../support/sockets";
import { ENDED, flushPromises, EngineHarness } from "../support/engine-harness";

let table: EngineHarness;

beforeEach(() => lay());

async function lay(pace?: Pace): Promise<void> {
  table = await EngineHarness.open(pace);
}

const inputs = (socket: FakeSocket) =>
  socket.sentOfType("input").map(({ control, down }) => `${control} ${down ? "down" : "up"}`);

describe("from ticket to game", () => {
  test("[O1] says hello first and nothing else before the welcome", () => {
    const socket = table.sockets.last;
    socket.events.opened();
    table.engine.start();
    table.engine.reportFocus("blur", 1);
    table.platform.advance(3000);
    expect(socket.sent.map(({ type }) => type)).toEqual(["hello"]);
    expect(socket.sentOfType("hello")[0]).toMatchObject({ protocol: 1, at: 1000, refresh_hz: 60 });
    expect(table.phase).toEqual({ kind: "connecting" });
  });

  test("[O2] a real-time game counts down, then starts", () => {
    const socket = table.sockets.last;
    socket.welcome();
    expect(table.phase).toEqual({ kind: "ready" });
    table.engine.start();
    const beats = [3, 2, 1].map((left) => {
      expect(table.phase).toEqual({ kind: "countdown", beatsLeft: left, then: "start" });
      table.platform.advance(600);
      return left;
    });
    expect(beats).toHaveLength(3);
    expect(table.phase).toEqual({ kind: "starting" });
    expect(socket.sentOfType("start")).toHaveLength(1);
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    expect(table.phase).toEqual({ kind: "playing" });
  });

  test("[O10] what the game begins with is on the screen before the countdown, and is not reported", () => {
    const socket = table.sockets.last;
    socket.welcome();
    socket.events.binary(makePacket({ preview: true, colours: [[1, 2, 3]] }));
    table.platform.runAnimationFrame();
    expect(table.screen.updates.map(({ firstPixel }) => firstPixel)).toEqual([0xff030201]);
    table.engine.start();
    table.platform.advance(1800);
    expect(socket.sentOfType("shown")).toEqual([]);
    expect(socket.sentOfType("start")).toHaveLength(1);
  });

  test("[O10] how a game has ended stays on the screen until the next is asked for", () => {
    const socket = table.startEpisode();
    socket.events.binary(makePacket({ frame: 1, last: true, colours: [[9, 9, 9]] }));
    table.platform.runAnimationFrame();
    socket.deliver(ENDED);
    const before = table.screen.updates.length;
    socket.events.binary(makePacket({ preview: true, colours: [[1, 2, 3]] }));
    table.platform.runAnimationFrame();
    expect(table.screen.updates).toHaveLength(before);
    table.engine.start();
    table.platform.runAnimationFrame();
    expect(table.screen.updates.at(-1)?.firstPixel).toBe(0xff030201);
  });

  test("a turn-based game starts at once and counts moves", async () => {
    await lay({ kind: "turn-based" });
    table.sockets.last.welcome();
    table.engine.start();
    table.sockets.last.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    table.sockets.last.events.binary(makePacket({ frame: 4 }));
    expect(table.engine.getSnapshot()).toMatchObject({ steps: 4, seconds: 0, lives: null });
  });

  test("score, lives and time follow the packets", () => {
    const socket = table.startEpisode();
    socket.events.binary(makePacket({ frame: 150, isKeyframe: false, score: 12.5, lives: 3 }));
    expect(table.engine.getSnapshot()).toMatchObject({
      score: 12.5,
      lives: 3,
      seconds: 2,
      steps: 0,
    });
  });

  test("pings at the welcome's rate and knows the delay", () => {
    const socket = table.sockets.last;
    socket.welcome();
    table.platform.advance(25);
    socket.deliver({ type: "pong", id: 0, received_us: 1, sent_us: 2 });
    table.platform.advance(1000);
    expect(table.engine.getSnapshot().latencyMs).toBe(25);
    expect(socket.sentOfType("ping").map(({ previous }) => previous)).toEqual([null, [0, 1025]]);
  });

  test("[F2] painted frames are reported, overtaken ones are not", () => {
    const socket = table.startEpisode();
    socket.events.binary(makePacket({ frame: 1, isKeyframe: false }));
    socket.events.binary(makePacket({ frame: 2, isKeyframe: false }));
    table.platform.runAnimationFrame();
    table.platform.advance(100);
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
  test("[I1] is sent at the event, with the frame that was on the screen at that moment", () => {
    const socket = table.startEpisode();
    table.platform.advance(16);
    socket.events.binary(makePacket({ frame: 1, isKeyframe: false }));
    table.platform.runAnimationFrame();
    table.engine.input.press("fire", "keyboard", "Space", 2810);
    table.engine.input.release("keyboard", "Space", 2817);
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

  test("a key held through the countdown is pressed when the game begins", () => {
    const socket = table.sockets.last;
    socket.welcome();
    table.engine.start();
    table.engine.input.press("left", "keyboard", "ArrowLeft", 1500);
    table.platform.advance(1800);
    expect(inputs(socket)).toEqual([]);
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    expect(socket.sentOfType("input")).toMatchObject([{ control: "left", at: 1500, frame: null }]);
  });

  test("a turn is never made of a key held since before", async () => {
    await lay({ kind: "turn-based" });
    const socket = table.sockets.last;
    socket.welcome();
    table.engine.input.press("pole-1", "keyboard", "Digit1", 1);
    table.engine.start();
    socket.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    expect(inputs(socket)).toEqual([]);
  });

  test("losing the window releases all, says so, and pauses a real-time game", () => {
    const socket = table.startEpisode();
    table.engine.input.press("left", "keyboard", "ArrowLeft", 2800);
    table.engine.reportFocus("blur", 2900);
    const after = socket.sent.slice(socket.sent.findIndex(({ type }) => type === "input"));
    expect(after.map(({ type }) => type)).toEqual(["input", "input", "focus", "pause"]);
    expect(inputs(socket)).toEqual(["left down", "left up"]);
    expect(table.phase).toEqual({ kind: "paused", reason: "focus" });
  });

  test("pausing lets go of what is held, going on takes it up again", () => {
    const socket = table.startEpisode();
    table.engine.input.press("left", "touch", "pad-left-1", 2800);
    table.engine.pause();
    expect(inputs(socket)).toEqual(["left down", "left up"]);
    table.engine.resume();
    table.platform.advance(1800);
    socket.deliver({ type: "resumed" });
    expect(table.phase).toEqual({ kind: "playing" });
    expect(inputs(socket)).toEqual(["left down", "left up", "left down"]);
  });

  test("keys are the game's only while it plays or is about to", () => {
    expect(table.engine.keyUse()).toBe("free");
    const socket = table.startEpisode();
    expect(table.engine.keyUse()).toBe("captured");
    socket.deliver(ENDED);
    expect(table.engine.keyUse()).toBe("suppressed");
  });
});

describe("the end", () => {
  test("shows how it went, and plays again on the same socket", () => {
    const socket = table.startEpisode();
    socket.deliver(ENDED);
    expect(table.phase).toEqual({
      kind: "ended",
      episode: "e1",
      status: "lost",
      reason: "terminated",
      score: 7,
      steps: 40,
    });
    table.engine.start();
    table.platform.advance(1800);
    socket.deliver({ type: "started", episode: "e2", server_us: 1, lockstep: null });
    expect(table.engine.getSnapshot()).toMatchObject({ phase: { kind: "playing" }, score: 0 });
    expect(table.sockets.all).toHaveLength(1);
  });

  test("leaving asks the server to end it", () => {
    const socket = table.startEpisode();
    table.engine.leave();
    expect(table.phase).toEqual({ kind: "leaving", thenRestart: false });
    expect(socket.sentOfType("leave")).toHaveLength(1);
    socket.deliver({ ...ENDED, status: "incomplete" });
    expect(table.phase.kind).toBe("ended");
  });

  test("closing is silent and for good", () => {
    const socket = table.startEpisode();
    table.engine.close();
    table.engine.close();
    expect(socket.isClosedByPage).toBe(true);
    socket.events.closed(1006, "");
    table.platform.advance(60_000);
    expect(table.sockets.all).toHaveLength(1);
    expect(table.platform.pendingTimers).toBe(0);
  });
});

describe("once more", () => {
  test("leaves the game on record, then counts down for the next by itself", () => {
    const socket = table.startEpisode();
    table.engine.restart();
    expect(table.phase).toEqual({ kind: "leaving", thenRestart: true });
    socket.deliver({ ...ENDED, status: "incomplete", reason: "left" });
    expect(table.phase).toEqual({ kind: "countdown", beatsLeft: 3, then: "start" });
  });

  test("does not begin by itself when the connection broke on the way", async () => {
    table.startEpisode();
    table.engine.restart();
    table.sockets.last.events.closed(1006, "");
    table.platform.advance(300);
    await flushPromises();
    table.sockets.last.welcome("ended");
    expect(table.phase).toEqual({ kind: "episode-lost" });
  });
});

describe("how the person is set up", () => {
  test("[O9] is told to every server that is met, and at each change", () => {
    const keys = { up: ["KeyI"] };
    const setup = { keys, touch: false, hand: "right" as const, gamepads: [], sound: false };
    table.engine.updateSetup(setup);
    expect(table.sockets.last.sentOfType("setup")).toEqual([]);
    table.sockets.last.welcome();
    table.engine.updateSetup({ ...setup, hand: "left" });
    expect(table.sockets.last.sentOfType("setup").map(({ hand }) => hand)).toEqual([
      "right",
      "left",
    ]);
  });
});
