import { runPython } from "./python";

/** A stored segment, and its pictures as rows of RGB bytes. */
export interface StoredSegment {
  file: ArrayBuffer;
  frames: Buffer[];
}

/** Returns segments that the server's encoder has written. */
export function writeSegments(): StoredSegment[] {
  const bytes = runPython(new URL("../wire/segments.py", import.meta.url));
  const segments: StoredSegment[] = [];
  for (let place = 0; place < bytes.length;) {
    const length = bytes.readUInt32LE(place);
    const file = new Uint8Array(bytes.subarray(place + 4, place + 4 + length)).buffer;
    place += 4 + length;
    const [count, height, width] = [0, 4, 8].map((at) => bytes.readUInt32LE(place + at));
    place += 12;
    const size = 3 * (height ?? 0) * (width ?? 0);
    const frames = Array.from({ length: count ?? 0 }, (_, index) =>
      bytes.subarray(place + index * size, place + (index + 1) * size),
    );
    place += (count ?? 0) * size;
    segments.push({ file, frames });
  }
  return segments;
}

/** Returns the picture without its alpha channel. */
export const rgbOf = (pixels: Uint32Array | Uint8ClampedArray): Buffer =>
  Buffer.from(new Uint8Array(pixels.buffer).filter((_, index) => index % 4 !== 3));
