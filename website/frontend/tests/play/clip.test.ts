import { expect, test } from "vitest";

import { readClipFrames } from "@/play/replay/clip-frames";
import { FrameSource } from "@/play/replay/frame-source";
import { StepData } from "@/play/replay/step-data";
import { waitForTimes } from "@/play/replay/wait-for-times";
import { Store } from "@/play/store";

import { writeSegments } from "../support/segments";

const NOTHING = { loaded: 0, error: null as string | null };

test("a clip is as long as its range if frames follow each other in less than a millisecond", async () => {
  const [segment] = writeSegments();
  if (segment === undefined) throw new Error("no segment");
  const count = segment.frames.length;
  expect(count).toBeGreaterThan(5);
  const source = new FrameSource([{ first_frame: 0, n_frames: count, frames: "/f" }], () =>
    Promise.resolve(segment.file),
  );
  // Three frames of a late group, then the usual rate.
  const times = Float64Array.from({ length: count }, (_, frame) =>
    frame < 4 ? 500 + frame * 0.1 : 500 + frame * 16,
  );
  const durations: number[] = [];
  const range = { from: 0, to: count - 2 };
  for await (const frame of readClipFrames(source, times, range, new AbortController().signal)) {
    durations.push(frame.durationMs);
  }
  expect(Math.min(...durations)).toBeGreaterThanOrEqual(1);
  const total = durations.reduce((sum, duration) => sum + duration, 0);
  expect(total).toBeCloseTo((times[count - 1] ?? 0) - (times[0] ?? 0), 6);
});

test("a clip waits for the recorded times of its frames", async () => {
  const data = new StepData(10);
  const loaded = new Store(NOTHING);
  let isDone = false;
  const waiting = waitForTimes({ data, loaded }, 3, new AbortController().signal).then(() => {
    isDone = true;
  });
  data.loaded = 3;
  loaded.set({ loaded: 3 });
  await Promise.resolve();
  expect(isDone).toBe(false);
  data.loaded = 4;
  loaded.set({ loaded: 4 });
  await waiting;
  await waitForTimes({ data, loaded }, 3, new AbortController().signal);
});

test("a clip of frames whose times cannot be loaded fails with the reason, and can be cancelled", async () => {
  const data = new StepData(10);
  const loaded = new Store(NOTHING);
  const failing = waitForTimes({ data, loaded }, 9, new AbortController().signal);
  loaded.set({ error: "The server does not answer." });
  await expect(failing).rejects.toThrow("The server does not answer.");
  const abort = new AbortController();
  const cancelled = waitForTimes({ data, loaded: new Store(NOTHING) }, 9, abort.signal);
  abort.abort();
  await expect(cancelled).rejects.toThrow("cancelled");
});
