import { applyPalette, GIFEncoder, quantize } from "gifenc";

import { type ClipFrame, SizeChanged } from "./apng-encoder";

/** Browsers slow down anything below 20 ms, and GIF counts in units of 10 ms. */
const FRAME_MS = 30;
const MAX_COLOURS = 256;

/** Encodes a GIF with a frame every 30 ms, so that its time is right although GIF cannot say 1/60 s. */
export async function encodeGif(frames: AsyncIterable<ClipFrame>, scale: number): Promise<Blob> {
  const gif = GIFEncoder();
  let size: { width: number; height: number } | null = null;
  let timeMs = 0;
  for await (const { picture, durationMs } of frames) {
    size ??= { width: picture.width, height: picture.height };
    if (size.width !== picture.width || size.height !== picture.height) throw new SizeChanged();
    const before = Math.floor(timeMs / FRAME_MS);
    timeMs += durationMs;
    const ticks = Math.floor(timeMs / FRAME_MS) - before;
    if (ticks === 0 && before > 0) continue;
    const rgba = new Uint8Array(picture.pixels.buffer);
    const palette = exactPalette(picture.pixels) ?? quantize(rgba, MAX_COLOURS);
    const index = enlarge(applyPalette(rgba, palette), picture.width, picture.height, scale);
    gif.writeFrame(index, picture.width * scale, picture.height * scale, {
      palette,
      delay: Math.max(ticks, 1) * FRAME_MS,
    });
  }
  gif.finish();
  return new Blob([new Uint8Array(gif.bytes())], { type: "image/gif" });
}

/** Returns the colours of a picture if a GIF holds them, so that they are exact. */
function exactPalette(pixels: Uint32Array): [number, number, number][] | null {
  const colours = new Set<number>();
  let last = -1;
  for (const pixel of pixels) {
    if (pixel === last) continue;
    last = pixel;
    colours.add(pixel);
    if (colours.size > MAX_COLOURS) return null;
  }
  return [...colours].map((pixel) => [pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255]);
}

function enlarge(index: Uint8Array, width: number, height: number, scale: number): Uint8Array {
  if (scale === 1) return index;
  const large = new Uint8Array(index.length * scale * scale);
  for (let y = 0; y < height * scale; y++) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x++) {
      large[y * width * scale + x] = index[row + Math.floor(x / scale)] ?? 0;
    }
  }
  return large;
}
