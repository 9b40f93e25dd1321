import { zlibSync } from "fflate";

interface PacketOptions {
  frame?: number;
  isKeyframe?: boolean;
  last?: boolean;
  preview?: boolean;
  score?: number;
  lives?: number;
  colours?: readonly (readonly [number, number, number])[];
  rectangle?: readonly [x: number, y: number, width: number, height: number];
  /** Rows of palette indices. */
  rows?: readonly (readonly number[])[];
}

const DEFAULTS = {
  frame: 0,
  isKeyframe: true,
  last: false,
  preview: false,
  score: 0,
  lives: -1,
  rows: [[0, 0]],
};
const NO_CHANGE: PacketOptions = { colours: [], rectangle: [0, 0, 0, 0] };

/**
 * Builds a packet by the table in wire/SPEC.md. The decoder's own tests use the server's encoder.
 */
export function makePacket(options: PacketOptions = {}): ArrayBuffer {
  const { frame, isKeyframe, last, preview, score, lives, rows } = { ...DEFAULTS, ...options };
  const { colours = [[10, 20, 30] as const], rectangle = [0, 0, 2, 1] } = isKeyframe
    ? options
    : { ...NO_CHANGE, ...options };
  const [x, y, width, height] = rectangle;
  const stream = width > 0 ? zlibSync(Uint8Array.from(rows.flatMap((row) => [0, ...row]))) : null;
  const start = 34 + 3 * colours.length;
  const bytes = new Uint8Array(start + (stream?.length ?? 0));
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, (isKeyframe ? 1 : 0) | (last ? 16 : 0) | (preview ? 32 : 0));
  view.setUint16(2, colours.length, true);
  view.setUint32(4, frame, true);
  view.setBigUint64(8, 123_456n, true);
  view.setFloat64(16, score, true);
  view.setInt16(24, lives, true);
  [x, y, width, height].forEach((value, index) => view.setUint16(26 + 2 * index, value, true));
  bytes.set(colours.flat(), 34);
  if (stream !== null) bytes.set(stream, start);
  return bytes.buffer;
}
