import { zlibSync } from "fflate";
import { describe, expect, test } from "vitest";

import { WireError } from "@/wire/messages";
import { isSound, readSound } from "@/wire/sound";

function pack(flags: number, count: number, frame: number, data: Uint8Array): ArrayBuffer {
  const bytes = new Uint8Array(8 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 2);
  view.setUint8(1, flags);
  view.setUint16(2, count, true);
  view.setUint32(4, frame, true);
  bytes.set(data, 8);
  return bytes.buffer;
}

const STEP = Uint8Array.from({ length: 512 }, (_, index) => (index * 7) % 256);

describe("sound packets", () => {
  test("sound packet gives varying or constant samples", () => {
    const loud = pack(0, 512, 7, zlibSync(STEP));
    expect(isSound(loud)).toBe(true);
    expect(readSound(loud)).toEqual({ frame: 7, samples: STEP });
    const silent = readSound(pack(1, 512, 8, Uint8Array.of(128)));
    expect(silent).toEqual({ frame: 8, samples: new Uint8Array(512).fill(128) });
  });

  test.each([
    ["cut off", pack(0, 512, 1, new Uint8Array())],
    ["with no samples", pack(1, 0, 1, Uint8Array.of(1))],
    ["with more than a step has", pack(1, 9000, 1, Uint8Array.of(1))],
    ["of other bytes", pack(0, 512, 1, Uint8Array.of(1, 2, 3))],
    ["with too few", pack(0, 512, 1, zlibSync(STEP.subarray(0, 500)))],
    ["with too many", pack(0, 512, 1, zlibSync(new Uint8Array(100_000)))],
  ])("sound packet %s throws WireError", (_, packet) => {
    expect(() => readSound(packet)).toThrow(WireError);
  });
});
