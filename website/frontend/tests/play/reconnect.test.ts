import { beforeEach, describe, expect, test } from "vitest";

import { PROBLEMS } from "@/api/problems";
import { TicketError } from "@/play/remote/reconnecting-socket";

import { makePacket } from "../support/packets";
import type { FakeSocket } from "../support/sockets";
import { ENDED, flushPromises, EngineHarness } from "../support/engine-harness";

let harness: EngineHarness;

beforeEach(async () => {
  harness = await EngineHarness.open();
});

describe("reconnect", () => {
  /** Closes the socket and waits for the reconnect. */
  async function dropAndReturn(): Promise<FakeSocket> {
    harness.sockets.last.events.closed(1006, "");
    expect(harness.phase).toMatchObject({ kind: "reconnecting", attempt: 1, episodeActive: true });
    harness.platform.advance(250);
    await flushPromises();
    return harness.sockets.last;
  }

  test("[O6] reconnect uses a new ticket and resumes the paused game", async () => {
    harness.startEpisode();
    const second = await dropAndReturn();
    expect(harness.sockets.all.map(({ address }) => address)).toEqual([
      "ws://arcade/1",
      "ws://arcade/2",
    ]);
    second.welcome("paused");
    second.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    second.events.binary(makePacket({ frame: 90, score: 3 }));
    expect(harness.phase).toEqual({ kind: "paused", reason: "connection" });
    expect(harness.engine.getSnapshot().score).toBe(3);
    harness.engine.resume();
    harness.platform.advance(1800);
    expect(second.sentOfType("resume")).toHaveLength(1);
    second.deliver({ type: "resumed" });
    expect(harness.phase).toEqual({ kind: "playing" });
  });

  test("[O26] a notice before the welcome says that the game is moving", async () => {
    harness.startEpisode();
    const second = await dropAndReturn();
    harness.platform.advance(15_000);
    second.deliver({ type: "notice", text: "Your game is moving to another server…" });
    expect(harness.phase).toMatchObject({
      kind: "reconnecting",
      cause: "moving",
      message: "Your game is moving to another server. It continues in a moment.",
      episodeActive: true,
    });
    // The page waits as long again as for a connection.
    harness.platform.advance(15_000);
    expect(second.isClosedByPage).toBe(false);
    second.welcome("paused");
    expect(harness.phase).toEqual({ kind: "paused", reason: "connection" });
  });

  test("reconnect without the episode enters phase episode-lost", async () => {
    harness.startEpisode();
    (await dropAndReturn()).welcome("ready");
    expect(harness.phase).toEqual({ kind: "episode-lost" });
    harness.engine.start();
    expect(harness.phase.kind).toBe("countdown");
  });

  test("retry delay doubles up to 8 s, with jitter", async () => {
    harness.sockets.last.events.closed(1006, "");
    const waits: number[] = [];
    for (const expected of [250, 500, 1000, 2000, 4000, 8000, 8000]) {
      harness.platform.advance(expected - 1);
      const before = harness.sockets.all.length;
      await flushPromises();
      expect(harness.sockets.all).toHaveLength(before);
      harness.platform.advance(1);
      await flushPromises();
      expect(harness.sockets.all).toHaveLength(before + 1);
      harness.sockets.last.events.closed(1006, "");
      waits.push(expected);
    }
    harness.platform.randomValue = 1;
    harness.platform.advance(8000);
    await flushPromises();
    harness.sockets.last.events.closed(1006, "");
    const before = harness.sockets.all.length;
    harness.platform.advance(5600);
    await flushPromises();
    expect(harness.sockets.all).toHaveLength(before + 1);
  });

  test("reconnectNow skips the retry delay", async () => {
    for (let drop = 0; drop < 4; drop++) {
      harness.sockets.last.events.closed(1006, "");
      harness.platform.advance(20_000);
      await flushPromises();
    }
    harness.sockets.last.events.closed(1006, "");
    const before = harness.sockets.all.length;
    harness.engine.reconnectNow();
    await flushPromises();
    expect(harness.sockets.all).toHaveLength(before + 1);
  });

  test("ping timeout closes the socket and reconnects", async () => {
    const socket = harness.startEpisode();
    harness.platform.advance(8000);
    expect(socket.isClosedByPage).toBe(true);
    expect(harness.phase.kind).toBe("reconnecting");
    await flushPromises();
  });

  test("invalid packet reconnects, to start with a keyframe", async () => {
    const socket = harness.startEpisode();
    socket.events.binary(new ArrayBuffer(3));
    expect(socket.isClosedByPage).toBe(true);
    expect(harness.phase).toMatchObject({
      kind: "reconnecting",
    });
    harness.platform.advance(250);
    await flushPromises();
    expect(harness.sockets.all).toHaveLength(2);
  });

  test("unknown message reconnects", () => {
    const socket = harness.startEpisode();
    socket.events.text(`{"type":"tea"}`);
    expect(socket.isClosedByPage).toBe(true);
    expect(harness.phase.kind).toBe("reconnecting");
  });

  test("messages of a dropped socket are ignored after the reconnect", async () => {
    const first = harness.startEpisode();
    await dropAndReturn();
    first.deliver(ENDED);
    expect(harness.phase.kind).toBe("reconnecting");
  });
});

describe("close code", () => {
  test.each([
    [4001, "reopen"],
    [4004, "none"],
    [4009, "reopen"],
    [4030, "reopen"],
    [4050, "reopen"],
    [1000, "reopen"],
  ])("close code %i closes for good without a retry", (code, help) => {
    harness.startEpisode().events.closed(code, "");
    expect(harness.phase).toMatchObject({ kind: "closed", closeReason: { help } });
    harness.platform.advance(60_000);
    expect(harness.sockets.all).toHaveLength(1);
  });

  test.each([1001, 1012, 4051])("close code %i reconnects", async (code) => {
    harness.startEpisode().events.closed(code, "");
    expect(harness.phase.kind).toBe("reconnecting");
    harness.platform.advance(250);
    await flushPromises();
    expect(harness.sockets.all).toHaveLength(2);
  });

  test("close message is kept during retries until the reconnect", async () => {
    harness.startEpisode().events.closed(1012, "");
    const words = (harness.phase as { message: string }).message;
    harness.ticketError = new TicketError("The server does not answer.", "wait");
    harness.platform.advance(250);
    await flushPromises();
    expect(harness.phase).toMatchObject({ kind: "reconnecting", attempt: 2, message: words });
    harness.ticketError = null;
    harness.platform.advance(500);
    await flushPromises();
    harness.sockets.last.welcome();
    harness.sockets.last.events.closed(1006, "");
    expect(harness.phase).not.toMatchObject({ message: words });
  });

  test("close message of the server replaces the default", () => {
    harness.startEpisode().events.closed(4030, "All 8 seats are taken.");
    expect(harness.phase).toMatchObject({ closeReason: { message: "All 8 seats are taken." } });
  });
});

describe("ticket", () => {
  test("ticket error 401 closes with help sign-in", async () => {
    harness.ticketError = new TicketError("Sign in first.", "sign-in");
    harness.sockets.last.events.closed(1006, "");
    harness.platform.advance(250);
    await flushPromises();
    expect(harness.phase).toEqual({
      kind: "closed",
      closeReason: { message: "Sign in first.", help: "sign-in" },
    });
  });

  test("ticket error has the title of the error table", async () => {
    harness.ticketError = new TicketError("Sign in.", "sign-in", PROBLEMS.NotSignedIn?.title);
    harness.sockets.last.events.closed(1006, "");
    harness.platform.advance(250);
    await flushPromises();
    expect(harness.phase).toMatchObject({ closeReason: { title: "Sign in first" } });
  });

  test("close code has title and text of the error table", () => {
    harness.sockets.last.events.closed(4030, "");
    expect(harness.phase).toMatchObject({
      kind: "closed",
      closeReason: {
        title: "Server full",
        message: "The server is full. Try again in a few minutes.",
        help: "reopen",
      },
    });
  });

  test("ticket error of an unreachable server is retried", async () => {
    harness.ticketError = new TicketError("The server does not answer.", "wait");
    harness.sockets.last.events.closed(1006, "");
    harness.platform.advance(250);
    await flushPromises();
    expect(harness.phase).toMatchObject({ kind: "reconnecting", attempt: 2 });
    harness.ticketError = null;
    harness.platform.advance(500);
    await flushPromises();
    harness.sockets.last.welcome();
    expect(harness.phase).toEqual({ kind: "ready" });
  });

  test("connect timeout without a welcome reconnects", () => {
    harness.sockets.last.events.opened();
    harness.platform.advance(20_000);
    expect(harness.phase.kind).toBe("reconnecting");
  });
});

describe("blocked WebSockets", () => {
  const isBlocked = () =>
    harness.phase.kind === "reconnecting" && harness.phase.cause === "websocket-blocked";

  /** Fails each socket as a proxy without WebSocket support does, until `ms` have passed. */
  async function failSockets(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      if (!harness.sockets.last.isClosedByPage) harness.sockets.last.events.closed(1006, "");
      harness.platform.advance(250);
      await flushPromises();
    }
  }

  test("sockets that fail although tickets arrive are reported within 10 s, with the host", async () => {
    await failSockets(1000);
    expect(isBlocked()).toBe(false);
    await failSockets(9000);
    expect(isBlocked()).toBe(true);
    expect(harness.phase).toMatchObject({ message: expect.stringContaining("arcade") as string });
  });

  test("socket that stays unopened is reported within 10 s, and may still open", () => {
    harness.platform.advance(6900);
    expect(harness.phase.kind).toBe("connecting");
    harness.platform.advance(200);
    expect(isBlocked()).toBe(true);
    harness.sockets.last.welcome();
    expect(harness.phase).toEqual({ kind: "ready" });
  });

  test("reconnectNow with an unopened socket opens another one", async () => {
    harness.platform.advance(7100);
    harness.engine.reconnectNow();
    await flushPromises();
    expect(harness.sockets.all).toHaveLength(2);
    harness.sockets.last.welcome();
    expect(harness.phase).toEqual({ kind: "ready" });
  });

  test("opened socket that waits for its welcome is not reported", () => {
    harness.sockets.last.events.opened();
    harness.platform.advance(19_000);
    expect(harness.phase.kind).toBe("connecting");
  });

  test("server that gives no tickets is not reported", async () => {
    harness.ticketError = new TicketError("No response.", "wait");
    await failSockets(30_000);
    expect(harness.phase).toMatchObject({ cause: "connection-lost" });
  });

  test("server that restarts is not reported, and the report ends with its tickets", async () => {
    await failSockets(9000);
    expect(isBlocked()).toBe(true);
    harness.ticketError = new TicketError("No response.", "wait");
    await failSockets(9000);
    expect(harness.phase).toMatchObject({ cause: "connection-lost" });
    harness.ticketError = null;
    harness.platform.advance(8000);
    await flushPromises();
    harness.sockets.last.welcome();
    expect(harness.phase).toEqual({ kind: "ready" });
  });

  test("server that closes the socket with a close code is not reported", async () => {
    for (let attempt = 0; attempt < 8; attempt++) {
      harness.sockets.last.events.opened();
      harness.sockets.last.events.closed(1012, "");
      harness.platform.advance(8000);
      await flushPromises();
    }
    expect(harness.phase).toMatchObject({ cause: "connection-lost" });
  });
});
