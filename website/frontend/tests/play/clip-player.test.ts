import { beforeAll, beforeEach, expect, test } from "vitest";

import { ClipPlayer } from "@/play/judge/clip-player";

import { createFakeCanvas } from "../support/canvas";
import { FakePlatform } from "../support/platform";
import { rgbOf, type StoredSegment, writeSegments } from "../support/segments";

const FRAMES_PER_SECOND = 20;
const FRAME_MS = 1000 / FRAMES_PER_SECOND;
const HOLD_MS = 500;

let segments: StoredSegment[];
let platform: FakePlatform;
let painted: Buffer[][];
let canvases: HTMLCanvasElement[];
let player: ClipPlayer;
let count: number;

beforeAll(() => {
  createFakeCanvas(); // defines ImageData
  segments = writeSegments().filter(({ frames }) => frames.length > 2);
});

beforeEach(() => {
  platform = new FakePlatform();
  painted = [[], []];
  count = Math.min(...segments.slice(0, 2).map(({ frames }) => frames.length));
  player = new ClipPlayer(
    platform,
    segments.slice(0, 2).map(({ file }) => file),
    FRAMES_PER_SECOND,
  );
  canvases = painted.map((pictures) => {
    const surface = { putImageData: ({ data }: ImageData) => pictures.push(rgbOf(data)) };
    return {
      width: 1,
      height: 1,
      dataset: {},
      getContext: () => surface,
    } as unknown as HTMLCanvasElement;
  });
  canvases.forEach((canvas, index) => player.attach(index, canvas));
});

const shown = () => canvases.map(({ dataset }) => Number(dataset.frame));

/** Passes time, and paints. */
function pass(ms: number): void {
  platform.advance(ms);
  platform.runAnimationFrame();
}

test("clips show their first frame until they play", () => {
  expect(player.elapsedMs()).toBeNull();
  pass(0);
  expect(shown()).toEqual([0, 0]);
  expect(painted.map(([picture]) => picture)).toEqual(
    segments.slice(0, 2).map(({ frames }) => frames[0]),
  );
  pass(1000);
  expect(shown()).toEqual([0, 0]);
  expect(player.elapsedMs()).toBe(1000);
});

test("both clips show the exact picture of the same frame", () => {
  player.play();
  pass(0);
  for (let frame = 1; frame < count; frame++) {
    pass(FRAME_MS);
    expect(shown()).toEqual([frame, frame]);
    expect(painted.map((pictures) => pictures.at(-1))).toEqual(
      segments.slice(0, 2).map(({ frames }) => frames[frame]),
    );
  }
});

test("last frame stays for a moment, then the loop begins again and is counted", () => {
  player.play();
  pass(0);
  pass(count * FRAME_MS + HOLD_MS - 1);
  expect(shown()).toEqual([count - 1, count - 1]);
  expect(player.state.getSnapshot().plays).toBe(0);
  pass(1);
  expect(shown()).toEqual([0, 0]);
  expect(player.state.getSnapshot().plays).toBe(1);
  pass(FRAME_MS);
  expect(shown()).toEqual([1, 1]);
});

test("time in a background tab counts as one play", () => {
  player.play();
  pass(0);
  pass(10 * (count * FRAME_MS + HOLD_MS) + FRAME_MS);
  expect(player.state.getSnapshot().plays).toBe(1);
  expect(shown()).toEqual([1, 1]);
});

test("pause keeps the frame, and play continues from it", () => {
  player.play();
  pass(0);
  pass(2 * FRAME_MS);
  player.toggle();
  pass(1000);
  expect(shown()).toEqual([2, 2]);
  expect(platform.runAnimationFrame()).toBe(0);
  player.toggle();
  pass(0);
  expect(shown()).toEqual([2, 2]);
  player.restart();
  pass(0);
  expect(shown()).toEqual([0, 0]);
});

test("closed player paints nothing", () => {
  player.play();
  player.close();
  expect(platform.runAnimationFrame()).toBe(0);
});

test("damaged clip is refused", () => {
  expect(() => new ClipPlayer(platform, [new ArrayBuffer(40)], FRAMES_PER_SECOND)).toThrow(
    "damaged",
  );
});
