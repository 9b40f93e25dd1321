import { beforeEach, describe, expect, test } from "vitest";

import { SoundQueue, QUEUE_STEPS } from "@/play/sound/sound-queue";

import { ENDED, EngineHarness } from "../support/engine-harness";

const FROM = 30_720;
const TO = 48_000;
const STEP = 512;
/** Block length of a worklet. */
const BLOCK = 128;

/** Unsigned samples of a tone. */
const tone = (frame: number, hz: number): Uint8Array =>
  Uint8Array.from({ length: STEP }, (_, index) => {
    const time = (frame * STEP + index) / FROM;
    return Math.round(160 + 30 * Math.sin(2 * Math.PI * hz * time));
  });

/**
 * Simulates playback at `rate` steps per second. Steps for which `late` is true arrive with the
 * next one.
 */
function listen(
  queue: SoundQueue,
  seconds: number,
  {
    hz = 440,
    rate = 60,
    late = () => false,
  }: { hz?: number; rate?: number; late?: (frame: number) => boolean } = {},
): { out: Float32Array; waited: number[] } {
  const out = new Float32Array(Math.floor((seconds * TO) / BLOCK) * BLOCK);
  const waited: number[] = [];
  let held: number[] = [];
  let frame = 0;
  for (let place = 0; place < out.length; place += BLOCK) {
    for (; frame <= (place / TO) * rate; frame++) {
      held.push(frame);
      if (late(frame)) continue;
      for (const one of held) queue.push(one, tone(one, hz));
      held = [];
    }
    queue.read(out.subarray(place, place + BLOCK));
    waited.push(queue.stats.queuedSteps);
  }
  return { out, waited };
}

/** Largest difference between neighbouring samples. */
const roughness = (out: Float32Array): number =>
  out.reduce((most, value, index) => Math.max(most, Math.abs(value - (out[index - 1] ?? 0))), 0);

/** Upward zero crossings per second. */
const pitch = (out: Float32Array): number => {
  let count = 0;
  for (let index = 1; index < out.length; index++) {
    if ((out[index - 1] ?? 0) < 0 && (out[index] ?? 0) >= 0) count++;
  }
  return (count * TO) / out.length;
};

describe("sound queue", () => {
  let queue: SoundQueue;
  beforeEach(() => {
    queue = new SoundQueue(FROM, TO);
  });

  test("sound after resampling keeps its pitch and volume", () => {
    const { out } = listen(queue, 3);
    const settled = out.subarray(TO);
    expect(pitch(settled)).toBeGreaterThan(440 * 0.985);
    expect(pitch(settled)).toBeLessThan(440 * 1.015);
    expect(Math.max(...settled)).toBeGreaterThan(0.2);
    expect(Math.max(...settled)).toBeLessThan(0.26);
  });

  test.each([59.4, 60, 60.6])(
    "sound at %f steps per second stays within the ring buffer",
    (rate) => {
      const { waited } = listen(queue, 20, { rate });
      const settled = waited.slice(TO / BLOCK);
      expect(Math.min(...settled)).toBeGreaterThan(0);
      expect(Math.max(...settled)).toBeLessThanOrEqual(QUEUE_STEPS.max);
      expect(queue.stats.underruns).toBe(0);
    },
  );

  test("sound with late samples drops them, so the lag is at most the ring buffer", () => {
    for (let frame = 0; frame < 20; frame++) queue.push(frame, tone(frame, 440));
    expect(queue.stats.queuedSteps).toBeLessThanOrEqual(QUEUE_STEPS.max);
    expect(queue.stats.droppedSteps).toBeGreaterThan(15);
    expect(queue.stats.frame).toBe(19);
  });

  test("sound during an underrun fades out and in without a click", () => {
    const { out } = listen(queue, 2, { late: (frame) => frame % 40 > 30 });
    expect(queue.stats.underruns).toBeGreaterThan(0);
    expect(queue.stats.droppedSteps).toBeGreaterThan(0);
    const steady = listen(new SoundQueue(FROM, TO), 2).out;
    expect(roughness(out)).toBeLessThan(1.5 * roughness(steady));
    const end = new Float32Array(TO);
    queue.read(end);
    expect(Math.abs(end[TO / 10] ?? 1)).toBeLessThan(0.001);
  });

  test("sound before two steps are buffered, or after a clear, is silent", () => {
    const block = new Float32Array(BLOCK);
    queue.push(0, tone(0, 440));
    queue.read(block);
    expect(queue.stats.audibleSamples).toBe(0);
    queue.push(1, tone(1, 440));
    for (let turn = 0; turn < 3; turn++) queue.read(block);
    expect(queue.stats.audibleSamples).toBeGreaterThan(0);
    queue.clear();
    expect(queue.stats.queuedSteps).toBe(0);
  });

  test("sound with constant samples is silent", () => {
    for (let frame = 0; frame < 3; frame++) queue.push(frame, new Uint8Array(STEP).fill(200));
    queue.read(new Float32Array(BLOCK));
    expect(queue.stats.audibleSamples).toBe(0);
  });
});

describe("game speaker", () => {
  let harness: EngineHarness;
  const packet = (frame: number) => {
    const bytes = Uint8Array.from([2, 1, 0, 2, frame, 0, 0, 0, 130]);
    harness.sockets.last.events.binary(bytes.buffer);
  };
  beforeEach(async () => {
    harness = await EngineHarness.open();
  });

  test("game speaker opens the audio output when an episode starts, not before", () => {
    harness.sockets.last.welcome();
    harness.engine.setVolume(0.5);
    expect(harness.output.openCount).toBe(0);
    harness.engine.start();
    expect(harness.output).toMatchObject({ openCount: 1, hz: 30_720, volume: 0.5, running: true });
  });

  test("sound when disabled stays silent", () => {
    harness.startEpisode();
    packet(1);
    expect(harness.output).toMatchObject({ openCount: 0, playedSteps: [] });
  });

  test("sound with steps plays their samples", () => {
    harness.engine.setVolume(1);
    harness.startEpisode();
    packet(1);
    packet(2);
    expect(harness.output.playedSteps.map(({ frame }) => frame)).toEqual([1, 2]);
    expect(harness.output.playedSteps[0]?.samples).toEqual(new Uint8Array(512).fill(130));
  });

  test("sound while paused, muted or ended is silent, and closed at the end", () => {
    harness.engine.setVolume(1);
    const socket = harness.startEpisode();
    harness.engine.reportFocus("hidden", 1);
    expect(harness.output.running).toBe(false);
    packet(1);
    harness.engine.resume();
    harness.platform.advance(1800);
    socket.deliver({ type: "resumed" });
    expect(harness.output.running).toBe(true);
    harness.engine.setVolume(null);
    expect(harness.output.running).toBe(false);
    packet(2);
    harness.engine.setVolume(1);
    socket.deliver(ENDED);
    expect(harness.output.running).toBe(false);
    packet(3);
    expect(harness.output.playedSteps).toEqual([]);
    harness.engine.close();
    expect(harness.output).toMatchObject({ openCount: 1, closeCount: 1 });
  });

  test("game speaker shows a notice if the browser has no sound, and does not retry", () => {
    harness.engine.setVolume(1);
    harness.startEpisode();
    harness.output.fail("no sound here");
    expect(harness.engine.getSnapshot()).toMatchObject({
      hasSound: false,
      notice: { text: "no sound here" },
    });
    harness.engine.pause();
    expect(harness.output).toMatchObject({ openCount: 1, closeCount: 1 });
  });
});
