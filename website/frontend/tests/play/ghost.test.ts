import { beforeAll, beforeEach, expect, test, vi } from "vitest";

import { GhostPlayer } from "@/play/ghost/ghost-player";
import { FrameSource } from "@/play/replay/frame-source";
import { SegmentFile } from "@/wire/segment";

import { createFakeCanvas } from "../support/canvas";
import { flushPromises } from "../support/engine-harness";
import { FakePlatform } from "../support/platform";
import { rgbOf, type StoredSegment, writeSegments } from "../support/segments";

let segments: StoredSegment[];
let platform: FakePlatform;
let loads: Map<string, (bytes: ArrayBuffer) => void>;
let painted: Buffer[];
let player: GhostPlayer;

beforeAll(() => {
  createFakeCanvas(); // defines ImageData
  segments = writeSegments();
});

beforeEach(() => {
  platform = new FakePlatform();
  loads = new Map();
  painted = [];
  let first = 0;
  const ranges = segments.map(({ frames }, index) => {
    const range = { first_frame: first, n_frames: frames.length, frames: String(index) };
    first += frames.length;
    return range;
  });
  const source = new FrameSource(
    ranges,
    (path) => new Promise((resolve) => loads.set(path, resolve)),
  );
  const scores = Float64Array.from({ length: source.frameCount }, (_, frame) => frame / 2);
  player = new GhostPlayer(platform, source, () => scores);
  const surface = { putImageData: ({ data }: ImageData) => painted.push(rgbOf(data)) };
  const canvas = { width: 1, height: 1, dataset: {}, getContext: () => surface };
  player.attach(canvas as unknown as HTMLCanvasElement);
});

async function load(index: number): Promise<void> {
  const { file } = segments[index] ?? {};
  if (file === undefined) throw new Error(`no segment ${String(index)}`);
  loads.get(String(index))?.(file);
  await flushPromises();
}

/** Runs tasks until the ghost rests. */
function runTasks(): void {
  platform.advance(0);
}

test("ghost paints the frame of the game's number, after the game", async () => {
  await load(0);
  const { frames } = segments[0] ?? { frames: [] };
  for (const frame of [0, 1, 2, 5]) {
    player.follow(frame);
    expect(painted).toHaveLength(0);
    runTasks();
    expect(painted.splice(0)).toEqual([frames[frame]]);
    expect(player.state.getSnapshot()).toEqual({
      score: frame / 2,
      isFinished: false,
      error: null,
    });
  }
});

test("ghost that is behind catches up in short tasks and paints the newest frame only", async () => {
  const { file = new ArrayBuffer(0), frames = [] } = segments[0] ?? {};
  const stored = new SegmentFile(file);
  const distances = frames.map((_, frame) => frame - stored.keyframeBefore(frame));
  const distance = Math.max(...distances);
  const target = distances.indexOf(distance);
  expect(distance).toBeGreaterThan(8);
  player.follow(0);
  runTasks();
  player.follow(target);
  runTasks();
  expect(painted).toHaveLength(0);
  const scheduled = vi.spyOn(platform, "after");
  await load(0);
  runTasks();
  expect(scheduled).toHaveBeenCalledTimes(Math.ceil(distance / 8));
  expect(painted).toEqual([frames[target]]);
});

test("ghost restarts with the next round and stays at its last frame", async () => {
  await load(0);
  player.follow(20);
  runTasks();
  player.follow(0);
  runTasks();
  expect(painted.at(-1)).toEqual(segments[0]?.frames[0]);
  const total = segments.reduce((sum, { frames }) => sum + frames.length, 0);
  player.follow(total + 5);
  runTasks();
  await load(segments.length - 1);
  runTasks();
  expect(painted.at(-1)).toEqual(segments.at(-1)?.frames.at(-1));
  expect(player.state.getSnapshot().isFinished).toBe(true);
});

test("next segment is loaded in advance, and a closed ghost paints nothing", async () => {
  await load(0);
  player.follow(1);
  runTasks();
  expect([...loads.keys()]).toEqual(["0", "1"]);
  player.follow(2);
  player.close();
  runTasks();
  expect(painted).toHaveLength(1);
});

test("segment that cannot be read is reported and the game goes on", async () => {
  loads.get("0")?.(new ArrayBuffer(8));
  player.follow(0);
  runTasks();
  await flushPromises();
  runTasks();
  loads.get("0")?.(new ArrayBuffer(8));
  await flushPromises();
  expect(player.state.getSnapshot().error).not.toBeNull();
});
