import { beforeEach, expect, test } from "vitest";

import { Pinger, PONG_TIMEOUT_MS } from "@/play/pinger";

import { FakePlatform, SuspendedTimersPlatform } from "../support/platform";

let platform: FakePlatform;
let pings: { id: number; at: number; previous: readonly [number, number] | null }[];
let silences: number;
let pinger: Pinger;

beforeEach(() => {
  platform = new FakePlatform();
  pings = [];
  silences = 0;
  pinger = new Pinger(
    platform,
    (id, at, previous) => pings.push({ id, at, previous }),
    () => silences++,
  );
});

test("pinger pings immediately and then once per period", () => {
  pinger.start(1000);
  platform.advance(2500);
  expect(pings.map(({ at }) => at)).toEqual([1000, 2000, 3000]);
});

test("ping carries the arrival time of the last pong", () => {
  pinger.start(1000);
  platform.advance(30);
  pinger.onPong(0, platform.now(), 0);
  platform.advance(1000);
  expect(pings[0]?.previous).toBeNull();
  expect(pings[1]).toMatchObject({ id: 1, previous: [0, 1030] });
});

test("latency is the minimum of the round trips", () => {
  pinger.start(1000);
  platform.advance(80);
  pinger.onPong(0, platform.now(), 0);
  platform.advance(920 + 20);
  pinger.onPong(1, platform.now(), 0);
  expect(pinger.roundTripMs).toBe(20);
});

test("pong with an unknown id is ignored", () => {
  pinger.start(1000);
  pinger.onPong(77, 5, 0);
  expect(pinger.roundTripMs).toBeNull();
});

test("missing pongs trigger the timeout", () => {
  pinger.start(1000);
  platform.advance(PONG_TIMEOUT_MS);
  expect(silences).toBe(0);
  platform.advance(1100);
  expect(silences).toBe(1);
});

test("suspended page does not trigger the timeout", () => {
  const slept = new SuspendedTimersPlatform();
  const sleepy = new Pinger(
    slept,
    () => undefined,
    () => silences++,
  );
  sleepy.start(1000);
  slept.advance(60_000);
  slept.suspended.shift()?.();
  expect(silences).toBe(0);
});

test("stopped pinger sends no pings", () => {
  pinger.start(1000);
  pinger.stop();
  platform.advance(10_000);
  expect(pings).toHaveLength(1);
});
