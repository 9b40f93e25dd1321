import { i18n } from "@/lib/i18n";
import { FrameCursor, type FrameSource } from "../replay/frame-source";
import { PictureCanvas } from "../picture-canvas";
import type { Cancel, Platform } from "../platform";
import { Store } from "../store";

/**
 * Frames that one task decodes. A task is then shorter than a tenth of an animation frame, also
 * while the ghost catches up after its segment was loaded.
 */
const MAX_FRAMES_PER_TASK = 8;

export interface GhostState {
  /** Score of the ghost at the frame on the screen; null if it is not loaded. */
  score: number | null;
  /** True after the ghost's last frame. */
  isFinished: boolean;
  error: string | null;
}

/**
 * Shows the frame of a recorded episode that has the number of the frame that the player's game has
 * just painted. It works in tasks of its own, after the paint of the game, and skips frames rather
 * than delay it.
 */
export class GhostPlayer {
  readonly state = new Store<GhostState>({ score: null, isFinished: false, error: null });
  readonly #platform: Platform;
  readonly #source: FrameSource;
  readonly #cursor: FrameCursor;
  /** Score at each frame that is loaded. */
  readonly #scores: () => Float64Array | null;
  readonly #canvas = new PictureCanvas();
  #target = -1;
  #shown = -1;
  #task: Cancel | null = null;
  #isClosed = false;

  constructor(platform: Platform, source: FrameSource, scores: () => Float64Array | null) {
    this.#platform = platform;
    this.#source = source;
    this.#cursor = new FrameCursor(source);
    this.#scores = scores;
    source.prefetch(0);
  }

  /** Paints on this canvas from now on. Returns a function that detaches it. */
  attach(element: HTMLCanvasElement): Cancel {
    const detach = this.#canvas.attach(element);
    if (this.#shown >= 0) this.#paint();
    return detach;
  }

  /** Shows the ghost's frame of this number soon; after the last one the last frame stays. */
  follow = (frame: number): void => {
    const last = this.#source.frameCount - 1;
    this.state.set({ isFinished: frame > last });
    this.#target = Math.min(frame, last);
    this.#schedule();
  };

  close(): void {
    this.#isClosed = true;
    this.#task?.();
    this.#task = null;
    this.#canvas.detach();
    this.#source.close();
  }

  #schedule(): void {
    if (this.#isClosed || this.#target === this.#shown) return;
    this.#task ??= this.#platform.after(0, this.#advance);
  }

  readonly #advance = (): void => {
    this.#task = null;
    const segment = this.#source.segmentOf(this.#target);
    const file = this.#source.peek(segment);
    if (file === null) {
      this.#source.get(segment).then(
        () => this.#schedule(),
        (error: unknown) => this.#fail(error),
      );
      return;
    }
    const first = this.#source.segments[segment]?.first_frame ?? 0;
    const keyframe = first + file.keyframeBefore(this.#target - first);
    const isAhead = this.#shown >= keyframe && this.#shown < this.#target;
    const next = Math.min((isAhead ? this.#shown : keyframe) + MAX_FRAMES_PER_TASK, this.#target);
    try {
      this.#cursor.show(next);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#shown = next;
    if (next === this.#target) {
      this.#paint();
      this.state.set({ score: this.#scores()?.[next] ?? null });
    }
    this.#source.prefetch(segment + 1);
    this.#schedule();
  };

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.state.set({
      error:
        error instanceof Error
          ? error.message
          : i18n._("The frames of the ghost cannot be loaded."),
    });
  }

  #paint(): void {
    this.#canvas.drawFrame(this.#cursor.picture, this.#shown);
  }
}
