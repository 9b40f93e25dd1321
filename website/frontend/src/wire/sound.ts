import { unzlibSync } from "fflate";

import { WireError } from "./messages";

const SOUND_PACKET = 2;
const HEAD_BYTES = 8;
const CONSTANT_FLAG = 1;
/** Far more than a step of any game has; a server that says more is broken. */
const MAX_SAMPLES = 8192;

/** What a step sounds like: unsigned samples, evenly over its time. */
export interface SoundPacket {
  /** Index of the observation that the step led to. */
  frame: number;
  samples: Uint8Array<ArrayBuffer>;
}

export const isSound = (packet: ArrayBuffer): boolean =>
  packet.byteLength > 0 && new DataView(packet).getUint8(0) === SOUND_PACKET;

/** Read a sound packet; wire/SPEC.md of the back end has the layout. Throws WireError when it is damaged. */
export function readSound(packet: ArrayBuffer): SoundPacket {
  if (packet.byteLength <= HEAD_BYTES) throw new WireError("A sound packet is cut off.");
  const view = new DataView(packet);
  const count = view.getUint16(2, true);
  if (count === 0 || count > MAX_SAMPLES) throw new WireError("A sound packet has no such length.");
  const frame = view.getUint32(4, true);
  if ((view.getUint8(1) & CONSTANT_FLAG) !== 0) {
    return { frame, samples: new Uint8Array(count).fill(view.getUint8(HEAD_BYTES)) };
  }
  return { frame, samples: inflate(new Uint8Array(packet, HEAD_BYTES), count) };
}

function inflate(stream: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  // Room for one more, by which too many are known.
  const room = new Uint8Array(count + 1);
  let samples: Uint8Array;
  try {
    samples = unzlibSync(stream, { out: room });
  } catch (error) {
    throw new WireError("The samples of a sound packet cannot be unpacked.", { cause: error });
  }
  if (samples.length !== count)
    throw new WireError("A sound packet has too few or too many samples.");
  return room.slice(0, count);
}
