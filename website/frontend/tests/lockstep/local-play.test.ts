import { describe, expect, it } from "vitest";

import { makePacket } from "../support/packets";
import { settle } from "../support/table";
import { LocalTable } from "./table";

/** Order in which messages of these types were sent. */
function order(table: LocalTable, ...types: string[]): string[] {
  return table.socket.sent.map(({ type }) => type).filter((type) => types.includes(type));
}

describe("a game in the page", () => {
  it("L1 is asked for where the server offers it, and steps by itself", async () => {
    const table = await LocalTable.open();
    const socket = table.play();
    expect(socket.of("start")[0]?.mode).toBe("lockstep");
    expect(table.phase.kind).toBe("playing");
    table.pass(1000);
    const { first, actions } = table.sent();
    expect(first).toBe(0);
    expect(actions.length).toBeGreaterThan(50);
    expect(table.engine.getSnapshot().steppedBy).toBe("page");
    expect(new Set(actions)).toEqual(new Set([0]));
    expect(socket.of("input")).toEqual([]);
    expect(table.engine.getSnapshot().lives).toBe(5);
  });

  it("L1 is streamed when its emulator can not be had", async () => {
    const table = await LocalTable.open(new Error("404"));
    table.engine.start();
    table.platform.pass(1800);
    expect(table.socket.of("start")[0]?.mode).toBe("streamed");
    table.socket.say({ type: "started", episode: "e1", server_us: 1, lockstep: null });
    table.socket.events.binary(makePacket({ frame: 0, lives: 3 }));
    expect(table.phase.kind).toBe("playing");
    expect(table.engine.getSnapshot().lives).toBe(3);
    expect(table.engine.getSnapshot().steppedBy).toBe("server");
  });

  it("S1 plays its own sound while it is wanted, a step's with its picture", async () => {
    const table = await LocalTable.open();
    const setup = { keys: {}, touch: false, hand: "right" as const, gamepads: [] };
    table.engine.setVolume(0.5);
    table.play();
    table.pass(200);
    expect(table.output.played).toEqual([]);
    table.engine.updateSetup({ ...setup, sound: true });
    table.pass(200);
    table.engine.updateSetup({ ...setup, sound: false });
    const { played } = table.output;
    expect(played.length).toBeGreaterThan(8);
    expect(played.map(({ samples }) => samples[0])).toEqual(played.map(({ frame }) => frame));
    table.pass(200);
    expect(table.output.played).toHaveLength(played.length);
  });

  it("L2 tells each input before the step that it could first act in, and scores at once", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    table.engine.input.press("fire", "keyboard", "Space", table.platform.now());
    table.pass(200);
    table.engine.input.release("keyboard", "Space", table.platform.now());
    table.pass(300);
    const { actions, inputs } = table.sent();
    const [down, up] = inputs;
    expect(down?.slice(1)).toEqual(["fire", true]);
    expect(up?.slice(1)).toEqual(["fire", false]);
    expect(actions.indexOf(1)).toBe(down?.[0]);
    expect(actions.lastIndexOf(1)).toBe((up?.[0] ?? 0) - 1);
    expect(table.engine.getSnapshot().score).toBe(2 * actions.filter((a) => a === 1).length);
  });

  it("L2 sends steps before the paint times and the pause that follow from them", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(1000);
    table.engine.pause();
    const steps = table.sent().actions.length;
    expect(order(table, "ticks", "pause").at(-1)).toBe("pause");
    let sent = 0;
    for (const message of table.socket.sent) {
      if (message.type === "ticks") sent += message.actions.length;
      if (message.type === "shown") {
        for (const [frame] of message.frames) expect(frame).toBeLessThanOrEqual(sent);
      }
    }
    table.pass(1000);
    expect(table.sent().actions.length).toBe(steps);
    expect(table.phase).toEqual({ kind: "paused", why: "player" });
  });

  it("goes on after a pause with the steps that follow", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    table.engine.pause();
    table.socket.say({ type: "paused", reason: "player" });
    table.engine.resume();
    table.pass(1800);
    expect(table.phase.kind).toBe("playing");
    table.pass(500);
    expect(order(table, "pause", "resume")).toEqual(["pause", "resume"]);
    const firsts = table.socket.of("ticks").map(({ first, actions }) => [first, actions.length]);
    for (const [index, [first, length]] of firsts.slice(0, -1).entries()) {
      expect(firsts[index + 1]?.[0]).toBe((first ?? 0) + (length ?? 0));
    }
  });

  it("shows the end at once, and is over when the server says so", async () => {
    const table = await LocalTable.open();
    table.game.length = 30;
    table.play();
    table.pass(1000);
    expect(table.sent().actions.length).toBe(30);
    expect(table.phase.kind).toBe("playing");
    table.socket.say({
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

describe("a game in the page whose connection is lost", () => {
  it("L5 plays on, and sends what the server misses once it is back", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    table.follow();
    const before = table.sent().actions.length;
    table.pass(250);
    await table.drop();
    expect(table.phase.kind).toBe("playing");
    table.pass(3000);
    table.greet("playing", "e1");
    table.started("e1", before);
    const { first, actions } = table.sent();
    expect(first).toBe(before);
    expect(table.socket.of("ticks").length).toBe(1);
    expect(actions.length).toBeGreaterThan(3 * 55);
    expect(table.phase.kind).toBe("playing");
    table.pass(500);
    expect(table.socket.of("shown").length).toBeGreaterThan(0);
    expect(table.sent().actions.length).toBeGreaterThan(actions.length);
  });

  it("L5 freezes after the time allowed, and goes on by a resume when it is back", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    table.follow();
    const before = table.sent().actions.length;
    await table.drop();
    table.pass(25_000);
    await settle();
    expect(table.phase.kind).toBe("broken");
    table.greet("playing", "e1");
    table.started("e1", before);
    expect(table.sent().actions.length).toBeGreaterThan(20 * 59);
    expect(table.sent().actions.length).toBeLessThan(21 * 61);
    expect(order(table, "ticks", "pause").at(-1)).toBe("pause");
    expect(table.phase).toEqual({ kind: "paused", why: "connection" });
    const frozen = table.sent().actions.length;
    table.engine.resume();
    table.pass(1800 + 500);
    expect(table.phase.kind).toBe("playing");
    expect(table.sent().actions.length).toBeGreaterThan(frozen + 20);
  });

  it("L5 can be paused meanwhile, and waits for the connection before it goes on", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    table.follow();
    const before = table.sent().actions.length;
    await table.drop();
    table.engine.pause();
    table.engine.resume();
    table.pass(1800);
    expect(table.phase.kind).toBe("broken");
    table.greet("playing", "e1");
    table.started("e1", before);
    expect(order(table, "ticks", "pause", "resume")).toEqual(["ticks", "pause"]);
    expect(table.phase).toEqual({ kind: "paused", why: "connection" });
  });

  it("L5 is gone when the server has let go of it", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    await table.drop();
    table.greet("ready");
    expect(table.phase.kind).toBe("gone");
    table.pass(500);
    expect(table.sent().actions).toEqual([]);
  });

  it("L5 goes on by streaming in a page that was loaded anew", async () => {
    const table = await LocalTable.open();
    await table.drop();
    table.greet("playing", "e1");
    table.started("e1", 120);
    expect(table.socket.of("stream").length).toBe(1);
    table.socket.say({ type: "paused", reason: "connection" });
    table.socket.events.binary(makePacket({ frame: 120, lives: 2 }));
    expect(table.phase).toEqual({ kind: "paused", why: "connection" });
    expect(table.engine.getSnapshot().lives).toBe(2);
  });
});

describe("a game in the page that can not go on by itself", () => {
  it("L7 is ended by the server, and the next one is streamed", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    table.socket.say({
      type: "ended",
      episode: "e1",
      status: "incomplete",
      reason: "diverged",
      score: 0,
      n_steps: 12,
    });
    expect(table.phase.kind).toBe("ended");
    const steps = table.sent().actions.length;
    table.engine.start();
    table.platform.pass(1800);
    table.socket.say({ type: "started", episode: "e2", server_us: 1, lockstep: null });
    table.socket.events.binary(makePacket({ frame: 0, lives: 4 }));
    table.engine.input.press("fire", "keyboard", "Space", table.platform.now());
    table.pass(500);
    expect(table.sent().actions.length).toBe(steps);
    expect(table.socket.of("input").length).toBe(1);
    expect(table.engine.getSnapshot().lives).toBe(4);
  });

  it("asks for the stream when the server came to something else", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    const last = table.socket.of("ticks").at(-1);
    const steps = (last?.first ?? 0) + (last?.actions.length ?? 0);
    table.socket.say({ type: "ticked", n_steps: steps, digest: 1 });
    expect(table.socket.of("stream").length).toBe(1);
  });

  it("asks for the stream when the emulator breaks, after the steps that it took", async () => {
    const table = await LocalTable.open();
    table.game.breaks = 40;
    table.play();
    table.pass(1000);
    await settle();
    expect(table.sent().actions.length).toBe(39);
    expect(order(table, "ticks", "stream").at(-1)).toBe("stream");
    expect(table.engine.getSnapshot().steppedBy).toBe("server");
    table.socket.say({ type: "paused", reason: "connection" });
    expect(table.phase).toEqual({ kind: "paused", why: "connection" });
  });

  it("asks for the stream when the machine does not keep up", async () => {
    const table = await LocalTable.open();
    table.play();
    for (let second = 0; second < 40 && table.socket.of("stream").length === 0; second++) {
      table.pass(700);
      table.platform.stall(100);
      table.follow();
    }
    expect(table.socket.of("stream")[0]?.reason).toContain("too busy");
    table.socket.say({ type: "paused", reason: "connection" });
    expect(table.phase).toEqual({ kind: "paused", why: "connection" });
  });

  it("pauses when it stood still for long: nobody can play through that", async () => {
    const table = await LocalTable.open();
    table.play();
    table.pass(500);
    const steps = table.sent().actions.length;
    table.platform.stall(2000);
    table.pass(100);
    expect(order(table, "ticks", "pause").at(-1)).toBe("pause");
    expect(table.phase).toEqual({ kind: "paused", why: "player" });
    expect(table.sent().actions.length).toBeLessThan(steps + 10);
    expect(table.engine.getSnapshot().notice?.text).toContain("stood still");
  });
});
