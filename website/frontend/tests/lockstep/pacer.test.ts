import { describe, expect, it } from "vitest";

import { Pacer } from "@/play/lockstep/pacer";

/** Runs a pacer on a display of `hz` and returns the times of frames and steps. */
function run(pacer: Pacer, hz: number, ms: number, late: () => number = () => 0) {
  const frames: number[] = [];
  const steps: number[] = [];
  const gap = 1000 / hz;
  pacer.start(0);
  let frame = 0.3;
  while (frame < ms) {
    const due = pacer.dueAt ?? Infinity;
    if (due <= frame) {
      const at = due + late();
      steps.push(at);
      pacer.onStep(at);
    } else {
      frames.push(frame);
      pacer.onDisplayFrame(frame, true);
      frame += gap;
    }
  }
  return { frames, steps };
}

/** Differences of neighbouring values. */
function gaps(times: number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}

describe("pacer", () => {
  it.each([60, 59.94, 60.05])("pacer steps once per display frame at %d Hz", (hz) => {
    const { frames, steps } = run(new Pacer(60), hz, 20_000);
    const settled = steps.filter((at) => at > 2000);
    const shown = frames.filter((at) => at > 2000);
    expect(Math.abs(settled.length - shown.length)).toBeLessThanOrEqual(1);
    for (const gap of gaps(settled)) expect(gap).toBeCloseTo(1000 / hz, 0);
    for (const at of settled.slice(0, -1)) {
      const next = shown.find((frame) => frame > at) ?? Infinity;
      expect(next - at).toBeGreaterThan(3.5);
      expect(next - at).toBeLessThan(6.5);
    }
  });

  it("pacer steps every second display frame at 120 Hz", () => {
    const { steps } = run(new Pacer(60), 120, 20_000);
    for (const gap of gaps(steps.filter((at) => at > 2000))) expect(gap).toBeCloseTo(1000 / 60, 0);
  });

  it.each([75, 144, 50, 30])("pacer keeps 60 steps per second on a display of %d Hz", (hz) => {
    const { steps } = run(new Pacer(60), hz, 20_000);
    expect(steps.length).toBeGreaterThanOrEqual(1198);
    expect(steps.length).toBeLessThanOrEqual(1201);
  });

  it("pacer skips steps that are late by a period", () => {
    const pacer = new Pacer(60);
    pacer.start(0);
    expect(pacer.onStep(116.7)).toBeCloseTo(100, 0);
    expect(pacer.dueAt).toBeCloseTo(116.7 + 1000 / 60, 5);
  });

  it("pacer keeps its deadlines when steps are slightly late", () => {
    let tick = 0;
    const { steps } = run(new Pacer(60), 60, 30_000, () => (tick++ % 3) * 0.7);
    const settled = steps.filter((at) => at > 2000);
    expect(settled.length / 28).toBeCloseTo(60, 0);
  });

  it("pacer increases its margin up to a limit when pictures are late", () => {
    const pacer = new Pacer(60);
    run(pacer, 60, 3000);
    const before = pacer.dueAt ?? 0;
    for (let frame = 0; frame < 20; frame++)
      pacer.onDisplayFrame(3000.3 + (frame * 1000) / 60, false);
    pacer.start(3400);
    const { periodMs } = pacer;
    const shift = (before - (pacer.dueAt ?? 0)) / periodMs;
    const fraction = shift - Math.floor(shift);
    expect(fraction * periodMs).toBeGreaterThan(5);
    expect(fraction * periodMs).toBeLessThan(9);
  });

  it("stopped pacer has no due step", () => {
    const pacer = new Pacer(60);
    pacer.start(0);
    pacer.stop();
    expect(pacer.dueAt).toBeNull();
    expect(() => pacer.onStep(5)).toThrow("stopped");
  });
});
