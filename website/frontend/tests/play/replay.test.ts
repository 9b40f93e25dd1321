import { describe, expect, test } from "vitest";

import {
  findPresses,
  lifeLostFrames,
  neighbour,
  pressedAt,
  rewardFrames,
} from "@/play/replay/markers";
import { StepData, type StepPage } from "@/play/replay/step-data";
import { matchingFrame } from "@/play/replay/synchronize";
import { binTimeline } from "@/play/replay/timeline-bins";

function pageOf(first: number, steps: Partial<Record<keyof StepPage, unknown[]>>): StepPage {
  const count = steps.reward?.length ?? 0;
  const fill = (value: unknown) => Array.from({ length: count }, () => value);
  return {
    first,
    action: fill(0),
    lives: fill(null),
    server_us: Array.from({ length: count }, (_, index) => (first + index) * 16_000),
    stepped_us: fill(null),
    shown_us: fill(null),
    input_us: fill(null),
    input_received_us: fill(null),
    ...steps,
  } as StepPage;
}

describe("step data", () => {
  test("scores and lives accumulate over pages", () => {
    const data = new StepData(4, 3);
    data.add(pageOf(0, { reward: [1, 0], lives: [null, 2] }));
    data.add(pageOf(2, { reward: ["NaN", 5], lives: [null, null] }));
    expect([...data.scores.slice(0, 3)]).toEqual([0, 1, 1]);
    expect(data.scores[3]).toBeNaN();
    expect([...data.lives]).toEqual([3, 3, 2, 2, 2]);
    expect(rewardFrames(data)).toEqual([1, 3, 4]);
    expect(lifeLostFrames(data)).toEqual([2]);
  });

  test("pages out of order are rejected", () => {
    expect(() => new StepData(4).add(pageOf(2, { reward: [1] }))).toThrow();
  });

  test("times follow the server's clock, and pauses are shortened", () => {
    const data = new StepData(3);
    data.add(pageOf(0, { reward: [0, 0, 0], server_us: [0, 16_000, 60_016_000] }));
    expect([...data.times]).toEqual([0, 0, 16, 60_016]);
    expect([...data.shortTimes]).toEqual([0, 0, 16, 1016]);
  });

  test("times of lockstep follow the browser's clock until the game is streamed", () => {
    const data = new StepData(4);
    data.add(
      pageOf(0, {
        reward: [0, 0, 0, 0],
        server_us: [100_000, 100_100, 100_200, 150_200],
        stepped_us: [7_000_000, 7_016_000, 7_032_000, null],
      }),
    );
    expect([...data.times]).toEqual([0, 100, 116, 132, 182]);
  });

  test("times that are not loaded continue at the nominal rate", () => {
    const data = new StepData(6);
    data.add(pageOf(0, { reward: [0, 0] }));
    expect(data.times[6]).toBeCloseTo(16 + (4 * 1000) / 60);
  });

  test("latency is that of the view input_latency", () => {
    const data = new StepData(5);
    data.add(
      pageOf(0, {
        reward: [0, 0, 0, 0, 0],
        input_us: [null, 1000, 1000, 90_000, 99_000],
        shown_us: [500, 17_000, 33_000, 50_000, null],
      }),
    );
    expect([...data.latencies].map((one) => (Number.isNaN(one) ? null : one))).toEqual([
      null,
      32,
      null,
      null,
      null,
    ]);
  });
});

describe("markers", () => {
  const input = (step: number, control: string, down: boolean) => ({
    number: step,
    kind: "input",
    server_us: 0,
    client_us: null,
    step,
    data: { control, down, device: "keyboard", code: control },
  });

  test("presses last until their release, at least one frame, or to the end", () => {
    const presses = findPresses(
      [input(2, "left", true), input(2, "left", false), input(4, "fire", true)],
      10,
    );
    expect(presses.map(({ control, from, to }) => [control, from, to])).toEqual([
      ["left", 2, 3],
      ["fire", 4, 10],
    ]);
    expect(pressedAt(presses, 2)).toEqual(["left"]);
    expect(pressedAt(presses, 3)).toEqual([]);
    expect(pressedAt(presses, 9)).toEqual(["fire"]);
  });

  test("neighbours are strictly before or after", () => {
    expect(neighbour([3, 7], 3, 1)).toBe(7);
    expect(neighbour([3, 7], 7, -1)).toBe(3);
    expect(neighbour([3, 7], 7, 1)).toBeNull();
  });
});

test("half an hour at 60 frames per second is binned without losing a mark", () => {
  const frameCount = 108_001;
  const data = new StepData(frameCount - 1);
  const reward = Array<number>(frameCount - 1).fill(0);
  for (const step of [0, 54_321, 107_999]) reward[step] = 1;
  data.add(pageOf(0, { reward }));
  const presses = Array.from({ length: 20_000 }, (_, index) => ({
    control: "left",
    device: "keyboard",
    code: "ArrowLeft",
    from: 5 * index,
    to: 5 * index + 2,
  }));
  const source = { data, frameCount, presses, livesLost: [100_000], events: [], notes: [] };
  const started = performance.now();
  const bins = binTimeline(source, 888);
  expect(performance.now() - started).toBeLessThan(1000);
  expect(bins.gains.reduce((sum, one) => sum + one, 0)).toBe(3);
  expect(bins.livesLost.reduce((sum, one) => sum + one, 0)).toBe(1);
  expect(bins.held.get("left")?.[400]).toBeCloseTo(0.4, 1);
  expect(bins.highScores[887]).toBe(3);
});

test("another episode follows by step, time and score", () => {
  const [mine, other] = [new StepData(4), new StepData(3)];
  mine.add(pageOf(0, { reward: [0, 2, 0, 0], server_us: [0, 10_000, 20_000, 30_000] }));
  other.add(pageOf(0, { reward: [1, 0, 1], server_us: [0, 20_000, 40_000] }));
  expect(matchingFrame("step", 4, mine, other, 4)).toBe(3);
  expect(matchingFrame("time", 3, mine, other, 4)).toBe(2);
  expect(matchingFrame("score", 1, mine, other, 4)).toBe(0);
  expect(matchingFrame("score", 2, mine, other, 4)).toBe(3);
});
