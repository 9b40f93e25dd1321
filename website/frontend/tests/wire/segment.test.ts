import { beforeAll, expect, test } from "vitest";

import { FrameCursor, FrameSource } from "@/play/replay/frame-source";
import { WireError } from "@/wire/messages";
import { SegmentFile } from "@/wire/segment";

import { rgbOf, type StoredSegment, writeSegments } from "../support/segments";

let cases: StoredSegment[];

beforeAll(() => {
  cases = writeSegments();
});

async function openCursor(files: ArrayBuffer[], counts: number[]): Promise<FrameCursor> {
  let first = 0;
  const segments = counts.map((n_frames, index) => {
    const range = { first_frame: first, n_frames, frames: String(index) };
    first += n_frames;
    return range;
  });
  const source = new FrameSource(segments, (path) =>
    Promise.resolve(files[Number(path)] ?? new ArrayBuffer(0)),
  );
  for (const index of counts.keys()) await source.get(index);
  return new FrameCursor(source);
}

test("stored segments decode to the server's pictures at frames in any order", async () => {
  const cursor = await openCursor(
    cases.map(({ file }) => file),
    cases.map(({ frames }) => frames.length),
  );
  const expected = cases.flatMap(({ frames }) => frames);
  expect(expected).toHaveLength(300);
  const forwards = [...expected.keys()];
  const backwards = forwards.toReversed();
  const jumping = forwards.map((frame) => (frame * 127) % expected.length);
  for (const frame of [...forwards, ...backwards, ...jumping]) {
    expect(cursor.show(frame)).toBe(true);
    expect(rgbOf(cursor.picture.pixels).equals(expected[frame] ?? Buffer.alloc(0))).toBe(true);
  }
});

test("stored segment that is cut off or no PNG is rejected", () => {
  const { file } = cases[0] ?? { file: new ArrayBuffer(0) };
  for (const length of [0, 7, 100, file.byteLength - 13]) {
    expect(() => new SegmentFile(file.slice(0, length))).toThrow(WireError);
  }
});
