import { beforeEach, describe, expect, test } from "vitest";

import { TicketError } from "@/play/remote/reconnecting-socket";

import { makePacket } from "../support/packets";
import type { HandSocket } from "../support/sockets";
import { ENDED, settle, Table } from "../support/table";

let table: Table;

beforeEach(async () => {
  table = await Table.open();
});

describe("a broken connection", () => {
  /** The socket drops, and the page comes back with another one. */
  async function dropAndReturn(): Promise<HandSocket> {
    table.sockets.last.events.closed(1006, "");
    expect(table.phase).toMatchObject({ kind: "broken", attempt: 1, playing: true });
    table.platform.pass(250);
    await settle();
    return table.sockets.last;
  }

  test("[O6] comes back with a new ticket, finds the game paused, and goes on", async () => {
    table.play();
    const second = await dropAndReturn();
    expect(table.sockets.all.map(({ address }) => address)).toEqual([
      "ws://arcade/1",
      "ws://arcade/2",
    ]);
    second.greet("paused");
    second.say({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    second.events.binary(makePacket({ frame: 90, score: 3 }));
    expect(table.phase).toEqual({ kind: "paused", why: "connection" });
    expect(table.engine.getSnapshot().score).toBe(3);
    table.engine.resume();
    table.platform.pass(1800);
    expect(second.of("resume")).toHaveLength(1);
    second.say({ type: "resumed" });
    expect(table.phase).toEqual({ kind: "playing" });
  });

  test("says so when the game did not survive it", async () => {
    table.play();
    (await dropAndReturn()).greet("ready");
    expect(table.phase).toEqual({ kind: "gone" });
    table.engine.start();
    expect(table.phase.kind).toBe("countdown");
  });

  test("waits longer each time, up to a bound, and less by chance", async () => {
    table.sockets.last.events.closed(1006, "");
    const waits: number[] = [];
    for (const expected of [250, 500, 1000, 2000, 4000, 8000, 8000]) {
      table.platform.pass(expected - 1);
      const before = table.sockets.all.length;
      await settle();
      expect(table.sockets.all).toHaveLength(before);
      table.platform.pass(1);
      await settle();
      expect(table.sockets.all).toHaveLength(before + 1);
      table.sockets.last.events.closed(1006, "");
      waits.push(expected);
    }
    table.platform.luck = 1;
    table.platform.pass(8000);
    await settle();
    table.sockets.last.events.closed(1006, "");
    const before = table.sockets.all.length;
    table.platform.pass(5600);
    await settle();
    expect(table.sockets.all).toHaveLength(before + 1);
  });

  test("can be hurried", async () => {
    for (let drop = 0; drop < 4; drop++) {
      table.sockets.last.events.closed(1006, "");
      table.platform.pass(20_000);
      await settle();
    }
    table.sockets.last.events.closed(1006, "");
    const before = table.sockets.all.length;
    table.engine.reconnectNow();
    await settle();
    expect(table.sockets.all).toHaveLength(before + 1);
  });

  test("a silent server is left for a new socket", async () => {
    const socket = table.play();
    table.platform.pass(8000);
    expect(socket.closedByPage).toBe(true);
    expect(table.phase.kind).toBe("broken");
    await settle();
  });

  test("a packet that cannot be read starts over with a new socket and its key frame", async () => {
    const socket = table.play();
    socket.events.binary(new ArrayBuffer(3));
    expect(socket.closedByPage).toBe(true);
    expect(table.phase).toMatchObject({ kind: "broken", words: "A frame packet is cut off." });
    table.platform.pass(250);
    await settle();
    expect(table.sockets.all).toHaveLength(2);
  });

  test("a message of another server does the same", () => {
    const socket = table.play();
    socket.events.text(`{"type":"tea"}`);
    expect(socket.closedByPage).toBe(true);
    expect(table.phase.kind).toBe("broken");
  });

  test("what a dropped socket still says is not heard", async () => {
    const first = table.play();
    await dropAndReturn();
    first.say(ENDED);
    expect(table.phase.kind).toBe("broken");
  });
});

describe("a closed server", () => {
  test.each([
    [4001, "again"],
    [4004, "none"],
    [4009, "again"],
    [4030, "again"],
    [4050, "again"],
    [1000, "again"],
  ])("code %i is said in words and not tried again", (code, help) => {
    table.play().events.closed(code, "");
    expect(table.phase).toMatchObject({ kind: "closed", closing: { help } });
    table.platform.pass(60_000);
    expect(table.sockets.all).toHaveLength(1);
  });

  test.each([1001, 1012, 4051])("after code %i the page comes back", async (code) => {
    table.play().events.closed(code, "");
    expect(table.phase.kind).toBe("broken");
    table.platform.pass(250);
    await settle();
    expect(table.sockets.all).toHaveLength(2);
  });

  test("what a server said when it went holds until it is back", async () => {
    table.play().events.closed(1012, "");
    const words = "The server is restarting. What you played is kept; come back in a moment.";
    table.refusal = new TicketError("The server does not answer.", "wait");
    table.platform.pass(250);
    await settle();
    expect(table.phase).toMatchObject({ kind: "broken", attempt: 2, words });
    table.refusal = null;
    table.platform.pass(500);
    await settle();
    table.sockets.last.greet();
    table.sockets.last.events.closed(1006, "");
    expect(table.phase).toMatchObject({
      words: "The connection broke. Your game waits; trying again…",
    });
  });

  test("the server's own words come first", () => {
    table.play().events.closed(4030, "All 8 seats are taken.");
    expect(table.phase).toMatchObject({ closing: { words: "All 8 seats are taken." } });
  });
});

describe("without a ticket", () => {
  test("who is not signed in is told to", async () => {
    table.refusal = new TicketError("Sign in first.", "sign-in");
    table.sockets.last.events.closed(1006, "");
    table.platform.pass(250);
    await settle();
    expect(table.phase).toEqual({
      kind: "closed",
      closing: { words: "Sign in first.", help: "sign-in" },
    });
  });

  test("a server that is away is asked again", async () => {
    table.refusal = new TicketError("The server does not answer.", "wait");
    table.sockets.last.events.closed(1006, "");
    table.platform.pass(250);
    await settle();
    expect(table.phase).toMatchObject({ kind: "broken", attempt: 2 });
    table.refusal = null;
    table.platform.pass(500);
    await settle();
    table.sockets.last.greet();
    expect(table.phase).toEqual({ kind: "ready" });
  });

  test("a server that never gets to its welcome is not waited for without end", () => {
    table.sockets.last.events.opened();
    table.platform.pass(20_000);
    expect(table.phase.kind).toBe("broken");
  });
});
