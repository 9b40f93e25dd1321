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
  test("waits for the animation frame and takes its time", () => {
    show({ frame: 0 });
    expect(updates).toHaveLength(0);
    platform.advance(5);
    platform.runAnimationFrame();
    expect(painted).toEqual([[0, 1005]]);
    expect(canvas.width).toBe(2);
  });

  test("the latest wins: an overtaken picture is neither painted nor reported", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    show({ frame: 1, isKeyframe: false, rectangle: [0, 0, 1, 1], rows: [[0]] });
    show({ frame: 2, isKeyframe: false, rectangle: [1, 0, 1, 1], rows: [[0]] });
    platform.runAnimationFrame();
    expect(painted.map(([frame]) => frame)).toEqual([0, 2]);
    expect(updates.at(-1)?.rectangle).toEqual([0, 0, 2, 1]);
  });

  test("a picture that changed nothing is on the screen all the same", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    show({ frame: 1, isKeyframe: false });
    platform.runAnimationFrame();
    expect(painted.map(([frame]) => frame)).toEqual([0, 1]);
    expect(updates).toHaveLength(1);
  });

  test("asks for no animation frame while there is nothing new", () => {
    show({ frame: 0 });
    expect(platform.runAnimationFrame()).toBe(1);
    expect(platform.runAnimationFrame()).toBe(0);
  });

  test("a canvas that comes later shows what there is", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    const second = createFakeCanvas();
    painter.attach(second.canvas);
    expect(second.updates).toHaveLength(1);
    expect(painted).toHaveLength(1);
  });
});

describe("which frame was on the screen", () => {
  test("is the one painted last before the moment, not the one painted since", () => {
    show({ frame: 0 });
    platform.runAnimationFrame();
    platform.advance(16);
    show({ frame: 1, isKeyframe: false });
    platform.runAnimationFrame();
    expect(painter.frameAt(1015.9)).toBe(0);
    expect(painter.frameAt(1016)).toBe(1);
    expect(painter.frameAt(999)).toBeNull();
  });

  test("is none at the beginning of an episode", () => {
    show({ frame: 9 });
    platform.runAnimationFrame();
    painter.reset();
    expect(painter.frameAt(2000)).toBeNull();
  });
});
