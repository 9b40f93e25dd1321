import { beforeEach, describe, expect, test } from "vitest";

import { Painter } from "@/play/painter";
import { FrameDecoder } from "@/wire/packet";

import { createFakeCanvas, type CanvasUpdate } from "../support/canvas";
import { makePacket } from "../support/packets";
import { FakePlatform } from "../support/platform";

let platform: FakePlatform;
let painted: [number, number][];
let painter: Painter;
let decoder: FrameDecoder;
let updates: CanvasUpdate[];
let canvas: HTMLCanvasElement;

beforeEach(() => {
  platform = new FakePlatform();
  painted = [];
  painter = new Painter(platform, (frame, at) => painted.push([frame, at]));
  decoder = new FrameDecoder();
  ({ canvas, updates } = createFakeCanvas());
  painter.attach(canvas);
});

function show(...[sketch]: Parameters<typeof makePacket>): void {
  const head = decoder.decode(makePacket(sketch));
  painter.show(decoder.picture, head, decoder.changed);
}

describe("painting", () => {
  test("picture is painted at the next animation frame", () => {
    show({ frame: 0 });
    expect(updates).toHaveLength(0);
    platform.advance(5);
    platform.runAnimationFrame();
    expect(painted).toEqual([[0, 1005]]);
    expect(canvas.width).toBe(2);
  });

  test("dropped frame is neither painted nor reported", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    show({ frame: 1, isKeyframe: false, rectangle: [0, 0, 1, 1], rows: [[0]] });
    show({ frame: 2, isKeyframe: false, rectangle: [1, 0, 1, 1], rows: [[0]] });
    platform.runAnimationFrame();
    expect(painted.map(([frame]) => frame)).toEqual([0, 2]);
    expect(updates.at(-1)?.rectangle).toEqual([0, 0, 2, 1]);
  });

  test("unchanged picture is reported as painted", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    show({ frame: 1, isKeyframe: false });
    platform.runAnimationFrame();
    expect(painted.map(([frame]) => frame)).toEqual([0, 1]);
    expect(updates).toHaveLength(1);
  });

  test("no animation frame is requested without a new picture", () => {
    show({ frame: 0 });
    expect(platform.runAnimationFrame()).toBe(1);
    expect(platform.runAnimationFrame()).toBe(0);
  });

  test("canvas attached later shows the current picture", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    const second = createFakeCanvas();
    painter.attach(second.canvas);
    expect(second.updates).toHaveLength(1);
    expect(painted).toHaveLength(1);
  });
});

describe("frameAt", () => {
  test("frameAt returns the frame painted last before the time", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    platform.advance(16);
    show({ frame: 1, isKeyframe: false });
    platform.runAnimationFrame();
    expect(painter.frameAt(1015.9)).toBe(0);
    expect(painter.frameAt(1016)).toBe(1);
    expect(painter.frameAt(999)).toBeNull();
  });

  test("frameAt after a reset returns null", () => {
    show({ frame: 9 });
    platform.runAnimationFrame();
    painter.reset();
    expect(painter.frameAt(2000)).toBeNull();
  });
});
