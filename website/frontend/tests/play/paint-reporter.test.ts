import { beforeEach, expect, test } from "vitest";

import { PaintReporter } from "@/play/paint-reporter";

import { FakePlatform, SuspendedTimersPlatform } from "../support/platform";

let platform: FakePlatform;
let reports: { received: number; frames: (readonly [number, number])[] }[];
let shown: PaintReporter;

beforeEach(() => {
  platform = new FakePlatform();
  reports = [];
  shown = new PaintReporter(platform, (received, frames) => reports.push({ received, frames }));
});

test("paint reporter sends one report per 100 ms", () => {
  for (let frame = 0; frame < 12; frame++) {
    shown.onFrameReceived(frame);
    shown.onFramePainted(frame, platform.now());
    platform.advance(16);
  }
  expect(reports).toHaveLength(1);
  platform.advance(100);
  expect(reports).toHaveLength(2);
  expect(reports.flatMap(({ frames }) => frames.map(([frame]) => frame))).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ]);
  expect(reports.at(-1)?.received).toBe(11);
});

test("paint reporter with suspended timers sends a due report when a frame arrives", () => {
  const slept = new SuspendedTimersPlatform();
  const sleepy = new PaintReporter(slept, (received, frames) => reports.push({ received, frames }));
  sleepy.onFrameReceived(0);
  slept.advance(99);
  sleepy.onFrameReceived(1);
  expect(reports).toHaveLength(0);
  slept.advance(2);
  sleepy.onFrameReceived(2);
  expect(reports).toEqual([{ received: 2, frames: [] }]);
});

test("paint reporter does not repeat a report", () => {
  shown.onFrameReceived(3);
  shown.flush();
  shown.flush();
  platform.advance(1000);
  expect(reports).toHaveLength(1);
});

test("paint reporter limits a report to 600 frames", () => {
  shown.onFrameReceived(0);
  for (let frame = 0; frame < 601; frame++) shown.onFramePainted(frame, frame);
  expect(reports[0]?.frames).toHaveLength(600);
});

test("paint reporter reset discards unsent frames", () => {
  shown.onFrameReceived(5);
  shown.onFramePainted(5, 1);
  shown.reset();
  platform.advance(1000);
  shown.flush();
  expect(reports).toHaveLength(0);
  expect(platform.pendingTimers).toBe(0);
});
