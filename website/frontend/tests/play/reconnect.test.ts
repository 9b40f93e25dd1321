import { beforeEach, describe, expect, test } from "vitest";

import { TicketError } from "@/play/remote/reconnecting-socket";

import { makePacket } from "../support/packets";
import type { FakeSocket } from "../support/sockets";
import { ENDED, flushPromises, EngineHarness } from "../support/engine-harness";

let table: EngineHarness;

beforeEach(async () => {
  table = await EngineHarness.open();
});

describe("reconnect", () => {
  /** Closes the socket and waits for the reconnect. */
  async function dropAndReturn(): Promise<FakeSocket> {
    table.sockets.last.events.closed(1006, "");
    expect(table.phase).toMatchObject({ kind: "reconnecting", attempt: 1, episodeActive: true });
    table.platform.advance(250);
    await flushPromises();
    return table.sockets.last;
  }

  test("[O6] reconnect uses a new ticket and resumes the paused game", async () => {
    table.startEpisode();
    const second = await dropAndReturn();
    expect(table.sockets.all.map(({ address }) => address)).toEqual([
      "ws://arcade/1",
      "ws://arcade/2",
    ]);
    second.welcome("paused");
    second.deliver({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    second.events.binary(makePacket({ frame: 90, score: 3 }));
    expect(table.phase).toEqual({ kind: "paused", reason: "connection" });
    expect(table.engine.getSnapshot().score).toBe(3);
    table.engine.resume();
    table.platform.advance(1800);
    expect(second.sentOfType("resume")).toHaveLength(1);
    second.deliver({ type: "resumed" });
    expect(table.phase).toEqual({ kind: "playing" });
  });

  test("reconnect without the episode enters phase episode-lost", async () => {
    table.startEpisode();
    (await dropAndReturn()).welcome("ready");
    expect(table.phase).toEqual({ kind: "episode-lost" });
    table.engine.start();
    expect(table.phase.kind).toBe("countdown");
  });

  test("retry delay doubles up to 8 s, with jitter", async () => {
    table.sockets.last.events.closed(1006, "");
    const waits: number[] = [];
    for (const expected of [250, 500, 1000, 2000, 4000, 8000, 8000]) {
      table.platform.advance(expected - 1);
      const before = table.sockets.all.length;
      await flushPromises();
      expect(table.sockets.all).toHaveLength(before);
      table.platform.advance(1);
      await flushPromises();
      expect(table.sockets.all).toHaveLength(before + 1);
      table.sockets.last.events.closed(1006, "");
      waits.push(expected);
    }
    table.platform.randomValue = 1;
    table.platform.advance(8000);
    await flushPromises();
    table.sockets.last.events.closed(1006, "");
    const before = table.sockets.all.length;
    table.platform.advance(5600);
    await flushPromises();
    expect(table.sockets.all).toHaveLength(before + 1);
  });

  test("reconnectNow skips the retry delay", async () => {
    for (let drop = 0; drop < 4; drop++) {
      table.sockets.last.events.closed(1006, "");
      table.platform.advance(20_000);
      await flushPromises();
    }
    table.sockets.last.events.closed(1006, "");
    const before = table.sockets.all.length;
    table.engine.reconnectNow();
    await flushPromises();
    expect(table.sockets.all).toHaveLength(before + 1);
  });

  test("ping timeout closes the socket and reconnects", async () => {
    const socket = table.startEpisode();
    table.platform.advance(8000);
    expect(socket.isClosedByPage).toBe(true);
    expect(table.phase.kind).toBe("reconnecting");
    await flushPromises();
  });

  test("invalid packet reconnects, to start with a keyframe", async () => {
    const socket = table.startEpisode();
    socket.events.binary(new ArrayBuffer(3));
    expect(socket.isClosedByPage).toBe(true);
    expect(table.phase).toMatchObject({
      kind: "reconnecting",
    });
    table.platform.advance(250);
    await flushPromises();
    expect(table.sockets.all).toHaveLength(2);
  });

  test("unknown message reconnects", () => {
    const socket = table.startEpisode();
    socket.events.text(`{"type":"tea"}`);
    expect(socket.isClosedByPage).toBe(true);
    expect(table.phase.kind).toBe("reconnecting");
  });

  test("messages of a dropped socket are ignored after the reconnect", async () => {
    const first = table.startEpisode();
    await dropAndReturn();
    first.deliver(ENDED);
    expect(table.phase.kind).toBe("reconnecting");
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
    table.startEpisode().events.closed(code, "");
    expect(table.phase).toMatchObject({ kind: "closed", closeReason: { help } });
    table.platform.advance(60_000);
    expect(table.sockets.all).toHaveLength(1);
  });

  test.each([1001, 1012, 4051])("close code %i reconnects", async (code) => {
    table.startEpisode().events.closed(code, "");
    expect(table.phase.kind).toBe("reconnecting");
    table.platform.advance(250);
    await flushPromises();
    expect(table.sockets.all).toHaveLength(2);
  });

  test("close message is kept during retries until the reconnect", async () => {
    table.startEpisode().events.closed(1012, "");
    const words = (table.phase as { message: string }).message;
    table.ticketError = new TicketError("The server does not answer.", "wait");
    table.platform.advance(250);
    await flushPromises();
    expect(table.phase).toMatchObject({ kind: "reconnecting", attempt: 2, message: words });
    table.ticketError = null;
    table.platform.advance(500);
    await flushPromises();
    table.sockets.last.welcome();
    table.sockets.last.events.closed(1006, "");
    expect(table.phase).not.toMatchObject({ message: words });
  });

  test("close message of the server replaces the default", () => {
    table.startEpisode().events.closed(4030, "All 8 seats are taken.");
    expect(table.phase).toMatchObject({ closeReason: { message: "All 8 seats are taken." } });
  });
});

describe("ticket", () => {
  test("ticket error 401 closes with help sign-in", async () => {
    table.ticketError = new TicketError("Sign in first.", "sign-in");
    table.sockets.last.events.closed(1006, "");
    table.platform.advance(250);
    await flushPromises();
    expect(table.phase).toEqual({
      kind: "closed",
      closeReason: { message: "Sign in first.", help: "sign-in" },
    });
  });

  test("ticket error of an unreachable server is retried", async () => {
    table.ticketError = new TicketError("The server does not answer.", "wait");
    table.sockets.last.events.closed(1006, "");
    table.platform.advance(250);
    await flushPromises();
    expect(table.phase).toMatchObject({ kind: "reconnecting", attempt: 2 });
    table.ticketError = null;
    table.platform.advance(500);
    await flushPromises();
    table.sockets.last.welcome();
    expect(table.phase).toEqual({ kind: "ready" });
  });

  test("connect timeout without a welcome reconnects", () => {
    table.sockets.last.events.opened();
    table.platform.advance(20_000);
    expect(table.phase.kind).toBe("reconnecting");
  });
});
