import { beforeAll, describe, expect, test } from "vitest";

import { WireError } from "@/wire/messages";
import { FrameDecoder } from "@/wire/packet";

import { makePacket } from "../support/packets";
import { runPython } from "../support/python";

interface Fixture {
  packet: ArrayBuffer;
  rgb: Buffer;
}

let fixtures: Fixture[];

beforeAll(() => {
  fixtures = readFixtures(runPython(new URL("packets.py", import.meta.url)));
});

function readFixtures(bytes: Buffer): Fixture[] {
  const parts: Buffer[] = [];
  for (let place = 0; place < bytes.length;) {
    const length = bytes.readUInt32LE(place);
    parts.push(bytes.subarray(place + 4, place + 4 + length));
    place += 4 + length;
  }
  return Array.from({ length: parts.length / 2 }, (_, index) => ({
    packet: new Uint8Array(parts[2 * index] ?? []).buffer,
    rgb: parts[2 * index + 1] ?? Buffer.alloc(0),
  }));
}

/** Returns the decoder's picture as height × width × 3 bytes. */
function rgbOf(decoder: FrameDecoder): Buffer {
  const { pixels } = decoder.picture;
  const rgba = new Uint8Array(pixels.buffer);
  return Buffer.from(rgba.filter((_, index) => index % 4 !== 3));
}

describe("frame decoder", () => {
  test("frame decoder reproduces the pictures of the server's encoder", () => {
    const decoder = new FrameDecoder();
    const kinds = { keys: 0, trueColour: 0, unchanged: 0 };
    for (const { packet, rgb } of fixtures) {
      const head = decoder.decode(packet);
      expect(rgbOf(decoder).equals(rgb)).toBe(true);
      kinds.keys += Number(head.isKeyframe);
      kinds.trueColour += ((new Uint8Array(packet)[1] ?? 0) & 8) / 8;
      kinds.unchanged += Number(decoder.changed.width === 0);
    }
    expect(fixtures).toHaveLength(52);
    expect(kinds.keys).toBeGreaterThan(3);
    expect(kinds.trueColour).toBeGreaterThan(3);
    expect(kinds.unchanged).toBeGreaterThan(3);
  });

  test("frame header has frame, time, score, lives and flags", () => {
    const decoder = new FrameDecoder();
    const heads = fixtures.slice(0, 40).map(({ packet }) => ({ ...decoder.decode(packet) }));
    expect(heads[0]).toEqual({
      frame: 0,
      serverUs: 2 ** 40,
      score: 0,
      lives: -1,
      isKeyframe: true,
      terminated: false,
      truncated: false,
      last: false,
    });
    expect(heads[39]).toMatchObject({
      frame: 39,
      serverUs: 2 ** 40 + 39,
      score: 9.75,
      lives: 38,
      isKeyframe: false,
      terminated: true,
      last: true,
    });
  });

  test("frame decoder reuses its memory while the size is constant", () => {
    const decoder = new FrameDecoder();
    const pictures = fixtures.slice(0, 40).map(({ packet }) => {
      decoder.decode(packet);
      return decoder.picture.pixels;
    });
    expect(new Set(pictures).size).toBe(1);
  });
});

describe("invalid frame packet", () => {
  const later = { isKeyframe: false, rectangle: [0, 0, 1, 1], rows: [[0]] } as const;

  test.each([
    ["has a truncated header", makePacket().slice(0, 20), /truncated/],
    ["has a truncated palette", makePacket().slice(0, 35), /truncated/],
    ["has truncated pixels", makePacket().slice(0, -6), /pixels/],
    ["has too few pixels", makePacket({ rectangle: [0, 0, 3, 1] }), /wrong number/],
    ["starts without a keyframe", makePacket(later), /not a keyframe/],
    ["has a partial keyframe", makePacket({ rectangle: [1, 0, 1, 1], rows: [[0]] }), /whole/],
  ])("packet that %s throws WireError", (_, packet, words) => {
    const decoder = new FrameDecoder();
    const decode = () => decoder.decode(packet);
    expect(decode).toThrow(WireError);
    expect(decode).toThrow(words);
  });

  test("packet that extends beyond the picture throws WireError", () => {
    const decoder = new FrameDecoder();
    decoder.decode(makePacket());
    const wide = makePacket({ isKeyframe: false, rectangle: [1, 0, 2, 1] });
    expect(() => decoder.decode(wide)).toThrow(/beyond/);
  });

  test("packet of another version throws WireError", () => {
    const packet = makePacket();
    new Uint8Array(packet)[0] = 2;
    expect(() => new FrameDecoder().decode(packet)).toThrow(/version/);
  });

  test("decoder reset requires a keyframe", () => {
    const decoder = new FrameDecoder();
    decoder.decode(makePacket());
    decoder.reset();
    expect(() => decoder.decode(makePacket(later))).toThrow(/not a keyframe/);
    expect(decoder.decode(makePacket({ frame: 7 })).frame).toBe(7);
  });
});
