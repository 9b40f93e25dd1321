import { beforeEach, expect, test } from "vitest";

import { ShownReporter } from "@/play/shown";

import { HandPlatform, SleepyPlatform } from "../support/platform";

let platform: HandPlatform;
let reports: { received: number; frames: (readonly [number, number])[] }[];
let shown: ShownReporter;

beforeEach(() => {
  platform = new HandPlatform();
  reports = [];
  shown = new ShownReporter(platform, (received, frames) => reports.push({ received, frames }));
});

test("what was painted is told in one message about every 100 ms", () => {
  for (let frame = 0; frame < 12; frame++) {
    shown.arrived(frame);
    shown.painted(frame, platform.now());
    platform.pass(16);
  }
  expect(reports).toHaveLength(1);
  platform.pass(100);
  expect(reports).toHaveLength(2);
  expect(reports.flatMap(({ frames }) => frames.map(([frame]) => frame))).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ]);
  expect(reports.at(-1)?.received).toBe(11);
});

test("arrivals push a due report out when the page's timers sleep", () => {
  const slept = new SleepyPlatform();
  const sleepy = new ShownReporter(slept, (received, frames) => reports.push({ received, frames }));
  sleepy.arrived(0);
  slept.pass(99);
  sleepy.arrived(1);
  expect(reports).toHaveLength(0);
  slept.pass(2);
  sleepy.arrived(2);
  expect(reports).toEqual([{ received: 2, frames: [] }]);
});

test("nothing new is not told again", () => {
  shown.arrived(3);
  shown.flush();
  shown.flush();
  platform.pass(1000);
  expect(reports).toHaveLength(1);
});

test("a list never grows beyond what the server takes", () => {
  shown.arrived(0);
  for (let frame = 0; frame < 601; frame++) shown.painted(frame, frame);
  expect(reports[0]?.frames).toHaveLength(600);
});

test("after a reset nothing of before is told", () => {
  shown.arrived(5);
  shown.painted(5, 1);
  shown.reset();
  platform.pass(1000);
  shown.flush();
  expect(reports).toHaveLength(0);
  expect(platform.waiting).toBe(0);
});
