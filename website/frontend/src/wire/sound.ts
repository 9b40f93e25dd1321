import { unzlibSync } from "fflate";

import { WireError } from "./messages";

const SOUND_PACKET = 2;
const HEAD_BYTES = 8;
const CONSTANT_FLAG = 1;
/** Upper limit for the samples of one step; more is an error of the server. */
const MAX_SAMPLES = 8192;

/** Sound of a step: unsigned samples, evenly spread over its duration. */
export interface SoundPacket {
  /** Index of the observation after the step. */
  frame: number;
  samples: Uint8Array<ArrayBuffer>;
}

export const isSound = (packet: ArrayBuffer): boolean =>
  packet.byteLength > 0 && new DataView(packet).getUint8(0) === SOUND_PACKET;

/**
 * Parses a sound packet (layout: wire/SPEC.md of the back end). Throws WireError if it is invalid.
 */
export function readSound(packet: ArrayBuffer): SoundPacket {
  if (packet.byteLength <= HEAD_BYTES) throw new WireError("A sound packet is truncated.");
  const view = new DataView(packet);
  const count = view.getUint16(2, true);
  if (count === 0 || count > MAX_SAMPLES)
    throw new WireError("A sound packet has an invalid length.");
  const frame = view.getUint32(4, true);
  if ((view.getUint8(1) & CONSTANT_FLAG) !== 0) {
    return { frame, samples: new Uint8Array(count).fill(view.getUint8(HEAD_BYTES)) };
  }
  return { frame, samples: inflate(new Uint8Array(packet, HEAD_BYTES), count) };
}

function inflate(stream: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  // One extra byte reveals a stream that is too long.
  const output = new Uint8Array(count + 1);
  let samples: Uint8Array;
  try {
    samples = unzlibSync(stream, { out: output });
  } catch (error) {
    throw new WireError("The samples of a sound packet cannot be decompressed.", { cause: error });
  }
  if (samples.length !== count)
    throw new WireError("A sound packet has the wrong number of samples.");
  return output.slice(0, count);
}
