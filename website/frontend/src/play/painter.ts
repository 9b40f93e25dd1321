import type { FrameHead, Picture, Rectangle } from "@/wire/packet";

import type { Cancel, Platform } from "./platform";

/** The part of a 2D context that the painter uses. */
export type Surface = Pick<CanvasRenderingContext2D, "putImageData">;

interface Canvas {
  width: number;
  height: number;
  surface: Surface;
}

/** An observation that was on the screen from `at` on. */
interface Paint {
  frame: number;
  at: number;
}

/** An input event may be handled several paints after it happened. */
const MAX_REMEMBERED_PAINTS = 8;
/** Index of a picture that is no observation. */
const NO_FRAME = -1;

/**
 * Paints the newest picture at the next animation frame. Pictures that are replaced before that are
 * dropped frames: they are neither painted nor reported.
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

  /** Paints on this canvas from now on. Returns a function that detaches it. */
  attach(element: HTMLCanvasElement): Cancel {
    const surface = element.getContext("2d", { alpha: false });
    if (surface === null)
      throw new Error("Cannot draw the game: this browser does not support the 2D canvas.");
    const canvas = Object.assign(element, { surface });
    this.#canvas = canvas;
    this.#repaint();
    return () => {
      if (this.#canvas === canvas) this.#canvas = null;
    };
  }

  /** Sets the newest picture, of which `changed` differs from the one before. */
  show(picture: Picture, head: FrameHead, changed: Rectangle): void {
    if (picture === this.#picture) expand(this.#dirty, changed);
    else this.#dirty = { x: 0, y: 0, width: picture.width, height: picture.height };
    this.#picture = picture;
    this.#frame = head.frame;
    this.#pendingFrame ??= this.#platform.nextFrame(this.#paint);
  }

  /** Paints a preview. It belongs to no episode, so its paint is not reported. */
  showPreview(picture: Picture): void {
    this.#dirty = { x: 0, y: 0, width: picture.width, height: picture.height };
    this.#picture = picture;
    this.#frame = NO_FRAME;
    this.#pendingFrame ??= this.#platform.nextFrame(this.#paint);
  }

  /** Returns the observation that was on the screen at this time, or null if there was none. */
  frameAt(at: number): number | null {
    for (let index = this.#paints.length - 1; index >= 0; index--) {
      const paint = this.#paints[index];
      if (paint !== undefined && paint.at <= at) return paint.frame;
    }
    return null;
  }

  /** Forgets all paints; a new episode starts. */
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

  /** Returns a view of the picture's memory, which avoids a copy. */
  #toImageData({ pixels, width, height }: Picture): ImageData {
    if (this.#image?.data.buffer !== pixels.buffer) {
      this.#image = new ImageData(new Uint8ClampedArray(pixels.buffer), width, height);
    }
    return this.#image;
  }

  /**
   * Paints the current picture on a newly attached canvas. It is not reported because it was
   * painted before.
   */
  #repaint(): void {
    if (this.#picture === null) return;
    this.#dirty = { x: 0, y: 0, width: this.#picture.width, height: this.#picture.height };
    this.#draw();
  }
}

/** Extends `into` to the union with `more`. */
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
