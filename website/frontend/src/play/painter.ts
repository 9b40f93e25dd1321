import type { FrameHead, Picture, Rectangle } from "@/wire/packet";

import { PictureCanvas } from "./picture-canvas";
import type { Cancel, Platform } from "./platform";

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
  readonly #canvas = new PictureCanvas();
  #picture: Picture | null = null;
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
    const detach = this.#canvas.attach(element, { alpha: false });
    this.#repaint();
    return detach;
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
    this.#canvas.detach();
  }

  readonly #paint = (at: number): void => {
    this.#pendingFrame = null;
    if (!this.#draw() || this.#frame === NO_FRAME) return;
    if (this.#paints.length >= MAX_REMEMBERED_PAINTS) this.#paints.shift();
    this.#paints.push({ frame: this.#frame, at });
    this.#onPaint(this.#frame, at);
  };

  #draw(): boolean {
    if (this.#picture === null || !this.#canvas.draw(this.#picture, this.#dirty)) return false;
    this.#dirty.width = 0;
    return true;
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
