import { WireError } from "./messages";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;
const PACKET_HEAD_BYTES = 34;
const FLAG_KEYFRAME = 1;
const FLAG_TRUE_COLOUR = 8;
/** Palette index 255 means "unchanged", so a stored palette has at most 255 colours. */
const MAX_COLOURS = 255;
const COLOUR_TYPE_RGBA = 6;

interface StoredFrame {
  isKeyframe: boolean;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Range of the zlib stream in the file. */
  start: number;
  end: number;
}

/**
 * A stored segment: an animated PNG whose zlib streams are those that were on the wire. Its frames
 * become frame packets again, for the decoder that live play uses.
 */
export class SegmentFile {
  readonly frames: readonly StoredFrame[];
  readonly byteLength: number;
  readonly #bytes: Uint8Array;
  #palette = new Uint8Array(0);
  #trueColour = false;

  /** Parses the file. Throws WireError if it is damaged. */
  constructor(file: ArrayBuffer) {
    this.#bytes = new Uint8Array(file);
    this.byteLength = file.byteLength;
    this.frames = this.#parse(new DataView(file));
  }

  /** Returns the index of the newest keyframe at or before `index`. */
  keyframeBefore(index: number): number {
    let key = index;
    while (key > 0 && this.frames[key]?.isKeyframe !== true) key--;
    return key;
  }

  /** Returns a frame as a packet. `frame` is the index of the observation in the episode. */
  packet(index: number, frame: number): ArrayBuffer {
    const stored = this.frames[index];
    if (stored === undefined) throw new WireError(`The segment has no frame ${index}.`);
    const palette = stored.isKeyframe && !this.#trueColour ? this.#palette : new Uint8Array(0);
    const start = PACKET_HEAD_BYTES + palette.length;
    const packet = new Uint8Array(start + stored.end - stored.start);
    const view = new DataView(packet.buffer);
    view.setUint8(0, 1);
    view.setUint8(
      1,
      (stored.isKeyframe ? FLAG_KEYFRAME : 0) | (this.#trueColour ? FLAG_TRUE_COLOUR : 0),
    );
    view.setUint16(2, palette.length / 3, true);
    view.setUint32(4, frame, true);
    view.setInt16(24, -1, true);
    view.setUint16(26, stored.x, true);
    view.setUint16(28, stored.y, true);
    view.setUint16(30, stored.width, true);
    view.setUint16(32, stored.height, true);
    packet.set(palette, PACKET_HEAD_BYTES);
    packet.set(this.#bytes.subarray(stored.start, stored.end), start);
    return packet.buffer;
  }

  #parse(view: DataView): StoredFrame[] {
    if (SIGNATURE.some((byte, index) => this.#bytes[index] !== byte)) throw damaged();
    const frames: StoredFrame[] = [];
    let control: Omit<StoredFrame, "start" | "end"> | null = null;
    let expected = -1;
    for (let place = SIGNATURE.length; place < view.byteLength;) {
      if (place + 12 > view.byteLength) throw damaged();
      const length = view.getUint32(place);
      const body = place + 8;
      if (body + length + 4 > view.byteLength) throw damaged();
      switch (view.getUint32(place + 4)) {
        case 0x49484452: // IHDR
          this.#trueColour = view.getUint8(body + 9) === COLOUR_TYPE_RGBA;
          break;
        case 0x6163544c: // acTL
          expected = view.getUint32(body);
          break;
        case 0x504c5445: // PLTE
          this.#palette = this.#bytes.slice(body, body + Math.min(length, 3 * MAX_COLOURS));
          break;
        case 0x6663544c: // fcTL
          control = {
            width: view.getUint32(body + 4),
            height: view.getUint32(body + 8),
            x: view.getUint32(body + 12),
            y: view.getUint32(body + 16),
            isKeyframe: view.getUint8(body + 25) === 0,
          };
          break;
        case 0x49444154: // IDAT
        case 0x66644154: {
          // fdAT begins with a sequence number.
          if (control === null) throw damaged();
          const start = frames.length === 0 ? body : body + 4;
          frames.push({ ...control, start, end: body + length });
          control = null;
          break;
        }
      }
      place = body + length + 4;
    }
    if (frames.length !== expected || frames[0]?.isKeyframe !== true) throw damaged();
    return frames;
  }
}

const damaged = () => new WireError("The recorded frames are damaged. Reload the page.");
