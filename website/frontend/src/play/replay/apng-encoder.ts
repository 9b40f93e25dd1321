import { i18n } from "@/lib/i18n";
import { zlibSync } from "fflate";

import type { Picture } from "@/wire/packet";

const UNCHANGED = 255;
const LEVEL = 6;
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Delays are in 1/60,000 s: exact at 60 frames per second. */
const TICKS_PER_SECOND = 60_000;
const MAX_TICKS = 65_535;

/** The frames need more than 255 colours, or change their size. */
class PaletteFull extends Error {}

/** A frame and its duration. The pixels may be overwritten after it was encoded. */
export interface ClipFrame {
  picture: Picture;
  durationMs: number;
}

/**
 * Encodes frames exactly, as an animated PNG or, if there is one, as a PNG. It uses a palette if the
 * frames have at most 255 colours. `frames` is called again if they have more.
 */
export async function encodeApng(frames: () => AsyncIterable<ClipFrame>): Promise<Blob> {
  try {
    return await encode(frames(), new Palette());
  } catch (error) {
    if (!(error instanceof PaletteFull)) throw error;
    return encode(frames(), null);
  }
}

async function encode(frames: AsyncIterable<ClipFrame>, palette: Palette | null): Promise<Blob> {
  const parts: { control: Uint8Array<ArrayBuffer>; data: Uint8Array<ArrayBuffer> }[] = [];
  let before: Uint32Array | null = null;
  let [width, height] = [0, 0];
  for await (const { picture, durationMs } of frames) {
    if (before === null) ({ width, height } = picture);
    else if (picture.width !== width || picture.height !== height) throw new SizeChanged();
    const area = before === null ? { x: 0, y: 0, width, height } : changedArea(before, picture);
    const rows = packRows(picture, before, area, palette);
    parts.push({
      control: frameControl(area, durationMs, before === null),
      data: copy(zlibSync(rows, { level: LEVEL })),
    });
    if (before === null) before = picture.pixels.slice();
    else before.set(picture.pixels);
  }
  return assemble(parts, width, height, palette);
}

/** A clip has one size. */
export class SizeChanged extends Error {
  override name = "SizeChanged";
  constructor() {
    super(
      i18n._(
        "The picture changes its size within this range, and a clip has one size. Choose a shorter range.",
      ),
    );
  }
}

interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Returns the bounding rectangle of the changed pixels, at least one pixel. */
function changedArea(before: Uint32Array, { pixels, width, height }: Picture): Area {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (pixels[at] === before[at]) continue;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      bottom = y;
    }
  }
  if (right < 0) return { x: 0, y: 0, width: 1, height: 1 };
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

/** Returns PNG rows; unchanged pixels are transparent, so that they compress well. */
function packRows(
  { pixels, width: stride }: Picture,
  before: Uint32Array | null,
  { x, y, width, height }: Area,
  palette: Palette | null,
): Uint8Array {
  const depth = palette === null ? 4 : 1;
  const rows = new Uint8Array(height * (1 + width * depth));
  let to = 0;
  for (let row = 0; row < height; row++) {
    let from = (y + row) * stride + x;
    to++; // the filter byte, always 0
    for (let column = 0; column < width; column++, from++) {
      const pixel = pixels[from] ?? 0;
      const isUnchanged = before !== null && pixel === before[from];
      if (palette !== null) rows[to++] = isUnchanged ? UNCHANGED : palette.indexOf(pixel);
      else {
        if (!isUnchanged) {
          rows[to] = pixel & 255;
          rows[to + 1] = (pixel >>> 8) & 255;
          rows[to + 2] = (pixel >>> 16) & 255;
          rows[to + 3] = 255;
        }
        to += 4;
      }
    }
  }
  return rows;
}

/** Colours in the order of their first use. */
class Palette {
  readonly #indices = new Map<number, number>();

  indexOf(pixel: number): number {
    let index = this.#indices.get(pixel);
    if (index === undefined) {
      index = this.#indices.size;
      if (index >= UNCHANGED) throw new PaletteFull();
      this.#indices.set(pixel, index);
    }
    return index;
  }

  /** Returns PLTE: 256 colours of three bytes. */
  table(): Uint8Array<ArrayBuffer> {
    const table = new Uint8Array(3 * 256);
    for (const [pixel, index] of this.#indices) {
      table.set([pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255], 3 * index);
    }
    return table;
  }
}

/** Returns fcTL without its sequence number, which comes first. */
function frameControl(area: Area, durationMs: number, isFirst: boolean): Uint8Array<ArrayBuffer> {
  const body = new Uint8Array(26);
  const view = new DataView(body.buffer);
  view.setUint32(4, area.width);
  view.setUint32(8, area.height);
  view.setUint32(12, area.x);
  view.setUint32(16, area.y);
  const ticks = Math.round((durationMs * TICKS_PER_SECOND) / 1000);
  view.setUint16(20, ticks > MAX_TICKS ? Math.min(Math.round(durationMs), MAX_TICKS) : ticks);
  view.setUint16(22, ticks > MAX_TICKS ? 1000 : TICKS_PER_SECOND);
  view.setUint8(25, isFirst ? 0 : 1);
  return body;
}

function assemble(
  parts: readonly { control: Uint8Array<ArrayBuffer>; data: Uint8Array<ArrayBuffer> }[],
  width: number,
  height: number,
  palette: Palette | null,
): Blob {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8;
  header[9] = palette === null ? 6 : 3;
  const chunks = [SIGNATURE, chunk("IHDR", header)];
  const isAnimated = parts.length > 1;
  if (isAnimated) chunks.push(chunk("acTL", words(parts.length, 0)));
  if (palette !== null) {
    chunks.push(chunk("PLTE", palette.table()));
    chunks.push(chunk("tRNS", new Uint8Array(256).fill(255, 0, UNCHANGED)));
  }
  let sequence = 0;
  parts.forEach(({ control, data }, index) => {
    if (isAnimated) {
      control.set(words(sequence++));
      chunks.push(chunk("fcTL", control));
    }
    if (index === 0) chunks.push(chunk("IDAT", data));
    else chunks.push(chunk("fdAT", concatenate(words(sequence++), data)));
  });
  chunks.push(chunk("IEND", new Uint8Array(0)));
  return new Blob(chunks, { type: isAnimated ? "image/apng" : "image/png" });
}

function words(...values: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setUint32(4 * index, value));
  return bytes;
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

const copy = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

function chunk(kind: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  for (let index = 0; index < 4; index++) bytes[4 + index] = kind.charCodeAt(index);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 255] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
