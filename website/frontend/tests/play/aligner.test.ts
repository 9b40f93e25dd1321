import { describe, expect, it } from "vitest";

import { Aligner } from "@/play/remote/aligner";

/** Deterministic random numbers in [0, 1). */
function draw(): () => number {
  let state = 7;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

interface Network {
  hz: number;
  /** Arrival of the first picture within a display frame, in milliseconds. */
  phase: number;
  jitter: number;
}

/** Simulates a server that applies shifts like the tick clock, and a page on a display of `hz`. */
function run({ hz, phase, jitter }: Network, seconds = 20) {
  const period = 1000 / 60;
  const display = 1000 / hz;
  const random = draw();
  const waits: number[] = [];
  const asked: number[] = [];
  let toMove = 0;
  const aligner = new Aligner((later) => {
    asked.push(later);
    toMove = Math.max(-period / 2, Math.min(period / 2, later));
  });
  let step = phase;
  let pending: number[] = [];
  let paint = 0;
  while (step < 1000 * seconds) {
    const arrival = step + jitter * random();
    while (paint <= arrival) {
      if (pending.length > 0) {
        aligner.onPaint(paint);
        waits.push(...pending.map((at) => paint - at));
      }
      pending = [];
      paint += display;
    }
    aligner.onArrival(arrival, step * 1000);
    pending.push(arrival);
    const move = Math.max(-0.01 * period, Math.min(0.01 * period, toMove));
    toMove -= move;
    step += period + move;
  }
  const last = waits.slice(-240);
  return { asked, mean: last.reduce((sum, wait) => sum + wait, 0) / last.length };
}

describe("aligner", () => {
  it.each([0.2, 3, 7, 11, 16])(
    "aligner with frames that arrive at phase %d ms delays them to wait 3 ms",
    (phase) => {
      const { mean } = run({ hz: 60, phase, jitter: 0.5 });
      expect(mean).toBeGreaterThan(2);
      expect(mean).toBeLessThan(5);
    },
  );

  it.each([59.94, 60.06])("aligner with a display of %d Hz follows its rate", (hz) => {
    const { mean } = run({ hz, phase: 9, jitter: 0.5 }, 40);
    expect(mean).toBeGreaterThan(1.5);
    expect(mean).toBeLessThan(5.5);
  });

  it("aligner with unevenly spaced frames finds the best phase", () => {
    const { mean } = run({ hz: 60, phase: 2, jitter: 5 });
    expect(mean).toBeLessThan(7);
  });

  it("aligner without possible improvement requests no shift", () => {
    const { asked } = run({ hz: 60, phase: 1000 / 60 - 3.2, jitter: 0.2 });
    expect(asked).toEqual([]);
  });

  it.each([50, 75, 144])("aligner with a display of %d Hz requests no shift", (hz) => {
    expect(run({ hz, phase: 5, jitter: 0.5 }).asked).toEqual([]);
  });

  it("aligner with frames of a turn-based game requests no shift", () => {
    const asked: number[] = [];
    const aligner = new Aligner((later) => asked.push(later));
    for (let at = 0; at < 100_000; at += 250) {
      aligner.onArrival(at, at * 1000);
      aligner.onPaint(at + 12);
    }
    expect(asked).toEqual([]);
  });
});
