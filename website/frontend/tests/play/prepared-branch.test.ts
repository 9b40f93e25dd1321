import { beforeEach, expect, test } from "vitest";

import { PreparedBranch } from "@/play/replay/prepared-branch";
import type { Hello } from "@/wire/messages";

import { FakePlatform } from "../support/platform";
import { FakeSockets } from "../support/sockets";

const hello: Hello = {
  ...{ type: "hello", protocol: 1, at: 1, time_origin: 1, browser: "test", screen: [1, 1] },
  ...{ pixel_ratio: 1, refresh_hz: null, isolated: false },
};
let platform: FakePlatform;
let sockets: FakeSockets;
let asked: number[];
let answer: (frame: number) => Promise<{ url: string; ticket: string }>;
let branch: PreparedBranch;

beforeEach(() => {
  [platform, sockets, asked] = [new FakePlatform(), new FakeSockets(), []];
  answer = (frame) => Promise.resolve({ url: `ws://server/${String(frame)}`, ticket: "t" });
  branch = new PreparedBranch({
    platform,
    openSocket: sockets.open,
    getAddress: (frame) => {
      asked.push(frame);
      return answer(frame);
    },
    getHello: () => hello,
  });
});

/** Advances the clock, and lets the requests that it caused be answered. */
async function wait(ms: number): Promise<void> {
  platform.advance(ms);
  await new Promise((resolve) => setTimeout(resolve, 0));
}

test("prepares the frame on which a replay rests", async () => {
  branch.rest(1000);
  await wait(299);
  expect(asked).toEqual([]);
  await wait(1);
  expect(asked).toEqual([1000]);
  const [socket] = sockets.all;
  socket?.events.opened();
  expect(socket?.address).toBe("ws://server/1000");
  expect(socket?.sent).toEqual([hello]);
});

test("prepares nothing while it plays, near the beginning, and after a short rest", async () => {
  branch.rest(null);
  branch.rest(599);
  await wait(1000);
  branch.rest(1000);
  await wait(200);
  branch.rest(null);
  await wait(1000);
  expect(asked).toEqual([]);
});

test("lets a game go when another frame is shown, and waits before the next one", async () => {
  branch.rest(1000);
  await wait(300);
  branch.rest(1001);
  expect(sockets.all[0]?.isClosedByPage).toBe(true);
  await wait(4999);
  expect(asked).toEqual([1000]);
  await wait(1);
  expect(asked).toEqual([1000, 1001]);
  branch.close();
  expect(sockets.all[1]?.isClosedByPage).toBe(true);
});

test("keeps the game for the page that plays it", async () => {
  branch.rest(1000);
  await wait(300);
  branch.keep();
  branch.close();
  expect(sockets.all[0]?.isClosedByPage).toBe(false);
});

test("opens no socket for a ticket that comes when the player plays already", async () => {
  branch.rest(1000);
  platform.advance(300);
  branch.keep();
  await wait(0);
  expect(asked).toEqual([1000]);
  expect(sockets.all).toEqual([]);
});

test("opens no socket if the server refuses, and does not ask again", async () => {
  answer = () => Promise.reject(new Error("The server is full."));
  branch.rest(1000);
  await wait(300);
  branch.rest(2000);
  await wait(10_000);
  expect(asked).toEqual([1000]);
  expect(sockets.all).toEqual([]);
});
