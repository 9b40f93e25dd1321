import { i18n } from "@/lib/i18n";
import { PictureCanvas } from "../picture-canvas";
import type { Cancel, Platform } from "../platform";
import { Store, type ReadableStore } from "../store";
import { FrameCursor, type FrameSource } from "./frame-source";
import { lastAtMost } from "./step-data";

export const SPEEDS = [0.125, 0.25, 0.5, 1, 2, 4, 8] as const;

/** A range of frames, both included. */
export interface FrameRange {
  from: number;
  to: number;
}

export interface ReplayState {
  /** Frame that is shown or, while its segment is loaded, that will be shown. */
  frame: number;
  isPlaying: boolean;
  speed: number;
  loop: FrameRange | null;
  skipsPauses: boolean;
  isLoading: boolean;
  /** Message of the last error; null if there is none. */
  error: string | null;
  /** Size of the picture; null before the first one. */
  size: { width: number; height: number } | null;
}

/** Recorded times of the frames in milliseconds. */
export interface FrameTimes {
  readonly times: Float64Array;
  readonly shortTimes: Float64Array;
}

/** Strength with which playback follows the display's clock if both rates agree. */
const PHASE_GAIN = 0.1;
const MAX_RATE_ERROR = 0.06;
/** A tab that was hidden continues where it stopped. */
const MAX_TICK_MS = 250;

/**
 * Plays recorded frames on a canvas. At speed 1 it follows the recorded times. Every frame between
 * two shown ones is decoded, so high speeds drop paints, never states.
 */
export class ReplayPlayer {
  readonly source: FrameSource;
  readonly #platform: Platform;
  readonly #cursor: FrameCursor;
  readonly #store: Store<ReplayState>;
  #times: FrameTimes;
  readonly #canvas = new PictureCanvas();
  #pending: Cancel | null = null;
  #tickAt = 0;
  /** Position in recorded time, ms. */
  #position = 0;
  #shown = -1;
  #request = 0;
  #closed = false;

  constructor(platform: Platform, source: FrameSource, times: FrameTimes) {
    this.#platform = platform;
    this.source = source;
    this.#cursor = new FrameCursor(source);
    this.#times = times;
    this.#store = new Store<ReplayState>({
      frame: 0,
      isPlaying: false,
      speed: 1,
      loop: null,
      skipsPauses: true,
      isLoading: false,
      error: null,
      size: null,
    });
  }

  get state(): ReadableStore<ReplayState> {
    return this.#store;
  }

  get lastFrame(): number {
    return Math.max(this.source.frameCount - 1, 0);
  }

  /** Paints on this canvas from now on. Returns a function that detaches it. */
  attach(element: HTMLCanvasElement): Cancel {
    const detach = this.#canvas.attach(element, { alpha: false });
    this.#paint();
    return detach;
  }

  play(): void {
    const { frame, loop, isPlaying } = this.#store.getSnapshot();
    if (isPlaying || this.source.frameCount < 2) return;
    if (frame >= (loop?.to ?? this.lastFrame)) void this.seek(loop?.from ?? 0);
    this.#store.set({ isPlaying: true });
    this.#synchronize();
    this.#tickAt = this.#platform.now();
    this.#pending ??= this.#platform.nextFrame(this.#tick);
  }

  pause(): void {
    this.#pending?.();
    this.#pending = null;
    this.#store.set({ isPlaying: false });
  }

  toggle(): void {
    if (this.#store.getSnapshot().isPlaying) this.pause();
    else this.play();
  }

  /** Shows a frame. Resolves when it is painted or another one was requested. */
  seek(frame: number): Promise<void> {
    const target = Math.min(Math.max(Math.round(frame), 0), this.lastFrame);
    this.#request++;
    this.#store.set({ frame: target, error: null });
    this.#synchronize();
    return this.#reach(target, this.#request);
  }

  /** Pauses and shows the next or the previous frame. */
  step(by: 1 | -1): Promise<void> {
    this.pause();
    return this.seek(this.#store.getSnapshot().frame + by);
  }

  /** Moves by recorded time. */
  skip(ms: number): Promise<void> {
    const times = this.#currentTimes();
    const { frame } = this.#store.getSnapshot();
    const target = lastAtMost(times, (times[frame] ?? 0) + ms, this.source.frameCount);
    return this.seek(target === frame ? frame + Math.sign(ms) : target);
  }

  setSpeed(speed: number): void {
    this.#store.set({ speed });
  }

  /** Goes to the next higher or lower speed. */
  changeSpeed(by: 1 | -1): void {
    const { speed } = this.#store.getSnapshot();
    const next = by > 0 ? SPEEDS.find((one) => one > speed) : SPEEDS.findLast((one) => one < speed);
    if (next !== undefined) this.setSpeed(next);
  }

  setLoop(range: FrameRange | null): void {
    if (range === null) {
      this.#store.set({ loop: null });
      return;
    }
    const [from, to] = [range.from, range.to]
      .map((frame) => Math.min(Math.max(frame, 0), this.lastFrame))
      .sort((a, b) => a - b);
    if (from !== undefined && to !== undefined && from < to)
      this.#store.set({ loop: { from, to } });
  }

  setSkipsPauses(skipsPauses: boolean): void {
    this.#store.set({ skipsPauses });
    this.#synchronize();
  }

  /** Takes over times that were loaded meanwhile. */
  setTimes(times: FrameTimes): void {
    this.#times = times;
    this.#synchronize();
  }

  close(): void {
    this.pause();
    this.#closed = true;
    this.source.close();
    this.#canvas.detach();
  }

  #currentTimes(): Float64Array {
    const { skipsPauses } = this.#store.getSnapshot();
    return skipsPauses ? this.#times.shortTimes : this.#times.times;
  }

  #synchronize(): void {
    this.#position = this.#currentTimes()[this.#store.getSnapshot().frame] ?? 0;
  }

  async #reach(frame: number, request: number): Promise<void> {
    if (this.source.frameCount === 0) return;
    const segment = this.source.segmentOf(frame);
    try {
      if (this.source.peek(segment) === null) {
        this.#store.set({ isLoading: true });
        await this.source.get(segment);
      }
      if (request !== this.#request || this.#closed) return;
      this.#store.set({ isLoading: false });
      this.#show(frame);
      this.source.prefetch(segment + 1);
    } catch (error) {
      if (request !== this.#request || this.#closed) return;
      this.pause();
      const message =
        error instanceof Error ? error.message : i18n._("The frames cannot be loaded.");
      this.#store.set({ isLoading: false, error: message });
    }
  }

  readonly #tick = (at: number): void => {
    this.#pending = null;
    const { isPlaying, speed, frame } = this.#store.getSnapshot();
    if (!isPlaying) return;
    this.#pending = this.#platform.nextFrame(this.#tick);
    const elapsed = Math.min(Math.max(at - this.#tickAt, 0), MAX_TICK_MS);
    this.#tickAt = at;
    const next = this.#advance(frame, elapsed * speed);
    const { isPlaying: continues } = this.#store.getSnapshot();
    if (next === frame && this.#shown === frame) return;
    if (this.source.peek(this.source.segmentOf(next)) === null) {
      // Playback waits for the network; the position stays.
      this.#synchronize();
      void this.#reach(frame, this.#request);
      this.source.prefetch(this.source.segmentOf(next));
      return;
    }
    this.#request++;
    this.#store.set({ frame: next, isLoading: false });
    this.#show(next);
    this.source.prefetch(this.source.segmentOf(next) + 1);
    if (!continues) this.pause();
  };

  /** Moves the position and returns the frame that is due. At the end it pauses or loops. */
  #advance(frame: number, by: number): number {
    const times = this.#currentTimes();
    const { loop, speed } = this.#store.getSnapshot();
    const end = loop?.to ?? this.lastFrame;
    const period = (times[frame + 1] ?? 0) - (times[frame] ?? 0);
    this.#position += by;
    // Frames are rounded to the nearest one, so that jitter of the recording is not visible.
    const rounding = Math.min(period, 1000 / 60) / 2;
    let next = Math.max(
      lastAtMost(times, this.#position + rounding, this.source.frameCount),
      frame,
    );
    if (frame <= end && next > end) {
      if (loop === null) next = end;
      else {
        next = loop.from;
        this.#position = times[next] ?? 0;
        return next;
      }
    }
    if (loop === null && next >= this.lastFrame) {
      this.#store.set({ isPlaying: false });
      this.#pending?.();
      this.#pending = null;
    }
    // Where the display is as fast as the game, its clock paces the frames: one each.
    if (Math.abs(by / speed - period / speed) < MAX_RATE_ERROR * (period / speed)) {
      const error = (times[next] ?? 0) - this.#position;
      if (Math.abs(error) < period) this.#position += PHASE_GAIN * error;
    }
    return next;
  }

  #show(frame: number): void {
    if (!this.#cursor.show(frame)) return;
    this.#shown = frame;
    this.#paint();
    const { width, height } = this.#cursor.picture;
    const { size } = this.#store.getSnapshot();
    if (size?.width !== width || size.height !== height)
      this.#store.set({ size: { width, height } });
  }

  #paint(): void {
    this.#canvas.drawFrame(this.#cursor.picture, this.#shown);
  }
}
