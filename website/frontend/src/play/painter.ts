import type { FrameHead, Picture, Rectangle } from "@/wire/packet";

import type { Cancel, Platform } from "./platform";

/** What of a 2d context the painter uses. */
export type Surface = Pick<CanvasRenderingContext2D, "putImageData">;

interface Canvas {
  width: number;
  height: number;
  surface: Surface;
}

/** An observation that stood on the screen from `at` on. */
interface Paint {
  frame: number;
  at: number;
}

/** Input events may be handled some paints after they happened; this many are remembered. */
const MAX_REMEMBERED_PAINTS = 8;
/** Instead of an observation's index. */
const NO_FRAME = -1;

/**
 * Puts the newest picture on the canvas at the next animation frame: latest wins.
 *
 * A picture that was overtaken before its animation frame is never painted and never reported.
 */
export class Painter {
  readonly #platform: Platform;
  readonly #onPaint: (frame: number, at: number) => void;
  #canvas: Canvas | null = null;
  #picture: Picture | null = null;
  #image: ImageData | null = null;
  #frame = NO_FRAME;
  #dirty: Rectangle = { x: 0, y: 0, width: 0, height: 0 };
  #pendingFrame: Cancel | null = null;
  #paints: Paint[] = [];

  constructor(platform: Platform, onPaint: (frame: number, at: number) => void) {
    this.#platform = platform;
    this.#onPaint = onPaint;
  }

  /** Paint on this canvas from now on; the answer lets go of it. */
  attach(element: HTMLCanvasElement): Cancel {
    const surface = element.getContext("2d", { alpha: false });
    if (surface === null) throw new Error("This browser cannot draw on a canvas.");
    const canvas = Object.assign(element, { surface });
    this.#canvas = canvas;
    this.#repaint();
    return () => {
      if (this.#canvas === canvas) this.#canvas = null;
    };
  }

  /** This picture, with this much of it changed, is the newest. */
  show(picture: Picture, head: FrameHead, changed: Rectangle): void {
    if (picture === this.#picture) expand(this.#dirty, changed);
    else this.#dirty = { x: 0, y: 0, width: picture.width, height: picture.height };
    this.#picture = picture;
    this.#frame = head.frame;
    this.#pendingFrame ??= this.#platform.nextFrame(this.#paint);
  }

  /** A picture of no episode: it is painted, and not reported. */
  showPreview(picture: Picture): void {
    this.#dirty = { x: 0, y: 0, width: picture.width, height: picture.height };
    this.#picture = picture;
    this.#frame = NO_FRAME;
    this.#pendingFrame ??= this.#platform.nextFrame(this.#paint);
  }

  /** Observation that was on the screen at this moment; null when none was yet. */
  frameAt(at: number): number | null {
    for (let index = this.#paints.length - 1; index >= 0; index--) {
      const paint = this.#paints[index];
      if (paint !== undefined && paint.at <= at) return paint.frame;
    }
    return null;
  }

  /** A new episode: what is on the screen belongs to the one before. */
  reset(): void {
    this.#paints = [];
    this.#pendingFrame?.();
    this.#pendingFrame = null;
  }

  close(): void {
    this.reset();
    this.#canvas = null;
  }

  readonly #paint = (at: number): void => {
    this.#pendingFrame = null;
    if (!this.#draw() || this.#frame === NO_FRAME) return;
    if (this.#paints.length >= MAX_REMEMBERED_PAINTS) this.#paints.shift();
    this.#paints.push({ frame: this.#frame, at });
    this.#onPaint(this.#frame, at);
  };

  #draw(): boolean {
    const canvas = this.#canvas;
    const picture = this.#picture;
    if (canvas === null || picture === null) return false;
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
      this.#dirty = { x: 0, y: 0, width: picture.width, height: picture.height };
    }
    const { x, y, width, height } = this.#dirty;
    if (width > 0)
      canvas.surface.putImageData(this.#toImageData(picture), 0, 0, x, y, width, height);
    this.#dirty.width = 0;
    return true;
  }

  /** A view of the picture's own memory, so that nothing is copied before the canvas. */
  #toImageData({ pixels, width, height }: Picture): ImageData {
    if (this.#image?.data.buffer !== pixels.buffer) {
      this.#image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    }
    return this.#image;
  }

  /** A canvas that is new to us shows what there is; nothing new was seen, so nothing is reported. */
  #repaint(): void {
    if (this.#picture === null) return;
    this.#dirty = { x: 0, y: 0, width: this.#picture.width, height: this.#picture.height };
    this.#draw();
  }
}

/** Grow `into` so that it holds `more` too. */
function expand(into: Rectangle, more: Rectangle): void {
  if (more.width === 0) return;
  if (into.width === 0) {
    Object.assign(into, more);
    return;
  }
  const right = Math.max(into.x + into.width, more.x + more.width);
  const bottom = Math.max(into.y + into.height, more.y + more.height);
  into.x = Math.min(into.x, more.x);
  into.y = Math.min(into.y, more.y);
  into.width = right - into.x;
  into.height = bottom - into.y;
}
