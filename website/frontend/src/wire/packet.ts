import { unzlibSync } from "fflate";

import { WireError } from "./messages";

const VERSION = 1;
const HEAD_BYTES = 34;
const UNCHANGED = 255;
const BLACK = 0xff000000;
const FLAG = {
  keyframe: 1,
  terminated: 2,
  truncated: 4,
  trueColour: 8,
  last: 16,
  preview: 32,
} as const;

/** Header of a frame packet. */
export interface FrameHead {
  /** Index of the observation in the episode. */
  frame: number;
  /** The server's CLOCK_MONOTONIC at the start of the step, in microseconds. */
  serverUs: number;
  score: number;
  /** -1 if the game has no lives. */
  lives: number;
  isKeyframe: boolean;
  terminated: boolean;
  truncated: boolean;
  /** The last packet of the episode. */
  last: boolean;
}

/** Returns a header with default values. */
export const newFrameHead = (): FrameHead => ({
  frame: 0,
  serverUs: 0,
  score: 0,
  lives: -1,
  isKeyframe: false,
  terminated: false,
  truncated: false,
  last: false,
});

/** Returns whether a packet is a preview: the first picture of the next episode (SPEC, O10). */
export const isPreview = (packet: ArrayBuffer): boolean =>
  packet.byteLength >= HEAD_BYTES && (new DataView(packet).getUint8(1) & FLAG.preview) !== 0;

/** Bounding rectangle of the changed pixels; width 0 if nothing changed. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * The current picture. `pixels` has one RGBA word per pixel and is replaced only if the size
 * changes.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array<ArrayBuffer>;
}

/**
 * Decodes frame packets into one picture (layout: wire/SPEC.md of the back end).
 *
 * `head`, `changed` and `picture` are reused: read them before the next packet.
 */
export class FrameDecoder {
  readonly head = newFrameHead();
  readonly changed: Rectangle = { x: 0, y: 0, width: 0, height: 0 };
  #picture: Picture = { width: 0, height: 0, pixels: new Uint32Array(0) };
  #bytes = new Uint8ClampedArray(0);
  #palette = new Uint32Array(256).fill(BLACK);
  #colourCount = 0;
  #trueColour = false;
  #rows = new Uint8Array(0);

  get picture(): Picture {
    return this.#picture;
  }

  /** Resets the decoder. The next packet must be a keyframe. */
  reset(): void {
    this.#picture = { width: 0, height: 0, pixels: new Uint32Array(0) };
  }

  /** Decodes a packet. Throws WireError if it is invalid or does not follow the previous one. */
  decode(packet: ArrayBuffer): FrameHead {
    if (packet.byteLength < HEAD_BYTES) throw new WireError("A frame packet is truncated.");
    const view = new DataView(packet);
    if (view.getUint8(0) !== VERSION) {
      throw new WireError("The server uses another version of the frame format. Reload the page.");
    }
    const flags = view.getUint8(1);
    const start = HEAD_BYTES + 3 * view.getUint16(2, true);
    if (packet.byteLength < start) throw new WireError("A frame packet is truncated.");
    this.#readHead(view, flags);
    this.#readRectangle(view);
    this.#checkFrame(flags);
    this.#addColours(new Uint8Array(packet, HEAD_BYTES, start - HEAD_BYTES));
    if (this.changed.width > 0) this.#paint(new Uint8Array(packet, start));
    return this.head;
  }

  #readHead(view: DataView, flags: number): void {
    const head = this.head;
    head.frame = view.getUint32(4, true);
    head.serverUs = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
    head.score = view.getFloat64(16, true);
    head.lives = view.getInt16(24, true);
    head.isKeyframe = (flags & FLAG.keyframe) !== 0;
    head.terminated = (flags & FLAG.terminated) !== 0;
    head.truncated = (flags & FLAG.truncated) !== 0;
    head.last = (flags & FLAG.last) !== 0;
  }

  #readRectangle(view: DataView): void {
    this.changed.x = view.getUint16(26, true);
    this.changed.y = view.getUint16(28, true);
    this.changed.width = view.getUint16(30, true);
    this.changed.height = view.getUint16(32, true);
  }

  #checkFrame(flags: number): void {
    const trueColour = (flags & FLAG.trueColour) !== 0;
    const { x, y, width, height } = this.changed;
    if (this.head.isKeyframe) {
      if (x !== 0 || y !== 0 || width === 0 || height === 0) {
        throw new WireError("A keyframe does not cover the whole picture.");
      }
      this.#trueColour = trueColour;
      this.#colourCount = 0;
      this.#resize(width, height);
      return;
    }
    if (this.#picture.width === 0) throw new WireError("The first frame is not a keyframe.");
    if (trueColour !== this.#trueColour) {
      throw new WireError("A frame switched between palette and true colour without a keyframe.");
    }
    if (x + width > this.#picture.width || y + height > this.#picture.height) {
      throw new WireError("A frame extends beyond the picture.");
    }
  }

  #resize(width: number, height: number): void {
    if (this.#picture.width !== width || this.#picture.height !== height) {
      this.#picture = { width, height, pixels: new Uint32Array(width * height) };
      this.#bytes = new Uint8ClampedArray(this.#picture.pixels.buffer);
      this.#rows = new Uint8Array(height * (1 + width * 4));
    }
    this.#picture.pixels.fill(BLACK);
  }

  #addColours(colours: Uint8Array): void {
    const count = colours.length / 3;
    if (this.#colourCount + count > 256) throw new WireError("A frame has more than 256 colours.");
    for (let index = 0; index < count; index++) {
      const red = colours[3 * index] ?? 0;
      const green = colours[3 * index + 1] ?? 0;
      const blue = colours[3 * index + 2] ?? 0;
      this.#palette[this.#colourCount + index] = BLACK | (blue << 16) | (green << 8) | red;
    }
    this.#colourCount += count;
  }

  #paint(stream: Uint8Array): void {
    const { width, height } = this.changed;
    const expected = height * (1 + width * (this.#trueColour ? 4 : 1));
    const rows = this.#inflate(stream, expected);
    if (this.#trueColour) this.#paintColours(rows);
    else this.#paintIndices(rows);
  }

  #inflate(stream: Uint8Array, expected: number): Uint8Array {
    let rows: Uint8Array;
    try {
      rows = unzlibSync(stream, { out: this.#rows });
    } catch (error) {
      throw new WireError("The pixels of a frame cannot be decompressed.", { cause: error });
    }
    if (rows.length !== expected) throw new WireError("A frame has the wrong number of pixels.");
    return rows;
  }

  #paintIndices(rows: Uint8Array): void {
    const { x, y, width, height } = this.changed;
    const { pixels, width: stride } = this.#picture;
    const palette = this.#palette;
    const unchanged = this.head.isKeyframe ? -1 : UNCHANGED;
    let from = 0;
    for (let row = 0; row < height; row++) {
      let to = (y + row) * stride + x;
      from++; // the filter byte, always 0
      for (let column = 0; column < width; column++, from++, to++) {
        const index = rows[from] ?? 0;
        if (index !== unchanged) pixels[to] = palette[index] ?? BLACK;
      }
    }
  }

  #paintColours(rows: Uint8Array): void {
    const { x, y, width, height } = this.changed;
    const bytes = this.#bytes;
    const stride = this.#picture.width;
    let from = 0;
    for (let row = 0; row < height; row++) {
      let to = 4 * ((y + row) * stride + x);
      from++;
      for (let column = 0; column < width; column++, from += 4, to += 4) {
        if (rows[from + 3] === 0) continue;
        bytes[to] = rows[from] ?? 0;
        bytes[to + 1] = rows[from + 1] ?? 0;
        bytes[to + 2] = rows[from + 2] ?? 0;
      }
    }
  }
}
