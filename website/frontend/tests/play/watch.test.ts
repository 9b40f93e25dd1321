import { beforeEach, describe, expect, test } from "vitest";

import { WatchConnection } from "@/play/watch/watch-connection";
import { splitBatch, WatchPlayer } from "@/play/watch/watch-player";
import { type Scene, type WatchedGame, WireError } from "@/wire/messages";

import { createFakeCanvas } from "../support/canvas";
import { makePacket } from "../support/packets";
import { FakePlatform } from "../support/platform";
import { FakeSockets } from "../support/sockets";

const GAME: WatchedGame = {
  type: "game",
  name: "Pong",
  hz: 60,
  pixel_aspect: 1,
  smooth: false,
  has_score: true,
};
const scene = (phase: Scene["phase"]): Scene => ({
  type: "scene",
  phase,
  is_away: false,
  caption: "",
});

let platform: FakePlatform;
let player: WatchPlayer;
let shown: number[];

beforeEach(() => {
  platform = new FakePlatform();
  player = new WatchPlayer(platform);
  shown = [];
  const { canvas } = createFakeCanvas();
  const dataset = new Proxy<Record<string, string>>(
    {},
    {
      set: (_, __, frame: string) => shown.push(Number(frame)) > 0,
    },
  );
  player.attach(Object.assign(canvas, { dataset }));
});

/** A batch of consecutive frames, of which the first of all is a keyframe. */
function batch(first: number, count: number): ArrayBuffer {
  const packets = Array.from({ length: count }, (_, index) =>
    makePacket({ frame: first + index, isKeyframe: first + index === 0, score: first + index }),
  );
  const bytes = packets.flatMap((packet) => [
    ...new Uint8Array(Uint32Array.of(packet.byteLength).buffer),
    ...new Uint8Array(packet),
  ]);
  return Uint8Array.from(bytes).buffer;
}

/** Runs animation frames of a display with 60 Hz. */
function display(frames: number): void {
  for (let frame = 0; frame < frames; frame++) {
    platform.advance(1000 / 60);
    platform.runAnimationFrame();
  }
}

describe("player of watchers", () => {
  test("[O19] batch is split into the packets that were joined", () => {
    expect(splitBatch(batch(0, 3)).map((packet) => new Uint8Array(packet))).toEqual(
      [0, 1, 2].map(
        (frame) => new Uint8Array(makePacket({ frame, isKeyframe: frame === 0, score: frame })),
      ),
    );
    for (const cut of [1, 3, 20])
      expect(() => splitBatch(batch(0, 1).slice(0, cut))).toThrow(WireError);
  });

  test("batches are shown evenly, one frame for each of the display", () => {
    player.receive(GAME);
    for (let first = 0; first < 60; first += 12) {
      player.receiveBatch(batch(first, 12));
      display(12);
    }
    display(60);
    expect(shown.at(-1)).toBe(59);
    const steps = shown.slice(1).map((frame, index) => frame - (shown[index] ?? 0));
    expect(Math.max(...steps)).toBeLessThanOrEqual(2);
    expect(shown.length).toBeGreaterThan(50);
  });

  test("[O19] watcher who joins late skips to the newest frames", () => {
    player.receive(GAME);
    player.receiveBatch(batch(0, 300));
    display(1);
    expect(shown).toHaveLength(1);
    expect(shown[0]).toBeGreaterThan(270);
    display(30);
    expect(shown.at(-1)).toBe(299);
    expect(player.state.getSnapshot().score).toBe(299);
  });

  test("[O20] state is shown after the frames before it", () => {
    player.receive(GAME);
    player.receive(scene("playing"));
    player.receiveBatch(batch(0, 6));
    player.receive(scene("ended"));
    display(1);
    expect(player.state.getSnapshot().scene?.phase).not.toBe("ended");
    display(60);
    expect(shown.at(-1)).toBe(5);
    expect(player.state.getSnapshot().scene?.phase).toBe("ended");
  });

  test("turn-based game is shown at once", () => {
    player.receive({ ...GAME, hz: null });
    player.receiveBatch(batch(0, 3));
    display(1);
    expect(shown).toEqual([2]);
  });

  test("[O20] new start after frames were dropped begins with its keyframe", () => {
    player.receive(GAME);
    player.receiveBatch(batch(0, 6));
    display(1);
    player.receive(GAME);
    player.receiveBatch(batch(0, 2));
    display(60);
    expect(shown.at(-1)).toBe(1);
  });

  test("hidden page keeps a bounded number of frames", () => {
    player.receive(GAME);
    player.receiveBatch(batch(0, 1300));
    expect(shown).toEqual([1299]);
  });
});

describe("connection of watchers", () => {
  let sockets: FakeSockets;
  let connection: WatchConnection;
  const statusOf = () => connection.status.getSnapshot().status;

  beforeEach(() => {
    sockets = new FakeSockets();
    connection = new WatchConnection({
      platform,
      openSocket: sockets.open,
      url: "ws://arcade/ws/watch/live",
      token: "t",
      player,
    });
    connection.open();
    sockets.last.events.text(JSON.stringify(GAME));
  });

  test.each([
    [1000, "The game has ended.", false],
    [4005, "gone", true],
    [4006, "ended", false],
    [4033, "full", true],
  ])("code %i ends watching with the reason of the server", (code, message, isError) => {
    expect(statusOf()).toEqual({ kind: "live" });
    sockets.last.events.closed(code, message);
    expect(statusOf()).toEqual({ kind: "closed", message, isError });
    expect(platform.pendingTimers).toBe(0);
  });

  test.each([1006, 1012, 4051])("code %i is followed by a reconnect", (code) => {
    sockets.last.events.closed(code, "");
    expect(statusOf()).toEqual({ kind: "reconnecting" });
    platform.advance(500);
    expect(sockets.all).toHaveLength(2);
    sockets.last.events.text(JSON.stringify(GAME));
    expect(statusOf()).toEqual({ kind: "live" });
  });

  test("reconnects end after some attempts", () => {
    for (let attempt = 0; attempt < 6; attempt++) {
      sockets.last.events.closed(1006, "");
      platform.advance(8000);
    }
    expect(statusOf()).toMatchObject({ kind: "closed", isError: true });
    expect(sockets.all).toHaveLength(6);
  });

  test("invalid data is followed by a reconnect", () => {
    sockets.last.events.binary(new ArrayBuffer(3));
    expect(statusOf()).toEqual({ kind: "reconnecting" });
    platform.advance(500);
    sockets.last.events.text("nonsense");
    expect(statusOf()).toEqual({ kind: "reconnecting" });
  });
});
