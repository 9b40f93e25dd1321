import { PictureCanvas } from "@/play/picture-canvas";
import type { Cancel, Platform } from "@/play/platform";
import { FrameCursor, FrameSource } from "@/play/replay/frame-source";
import { Store } from "@/play/store";
import { SegmentFile } from "@/wire/segment";

/** Time for which the last frame stays before the clips begin again. */
const HOLD_MS = 500;

export interface ClipState {
  isPlaying: boolean;
  /** Number of times that the clips were played to their end. */
  plays: number;
  /** Sizes of the pictures in pixels, by clip. */
  sizes: readonly { width: number; height: number }[];
}

interface Clip {
  cursor: FrameCursor;
  canvas: PictureCanvas;
}

/** Shows clips of one length in a loop, all at the same frame. */
export class ClipPlayer {
  readonly state: Store<ClipState>;
  readonly frameCount: number;
  readonly #platform: Platform;
  readonly #framesPerSecond: number;
  readonly #clips: readonly Clip[];
  #frame = 0;
  /** Time of the loop's first frame while it plays. */
  #startedAt = 0;
  #pending: Cancel | null = null;
  #firstPaintAt: number | null = null;

  /** Opens clips. Throws WireError if a file is damaged. */
  constructor(platform: Platform, files: readonly ArrayBuffer[], framesPerSecond: number) {
    this.#platform = platform;
    this.#framesPerSecond = framesPerSecond;
    const segments = files.map((file) => new SegmentFile(file));
    this.frameCount = Math.min(...segments.map(({ frames }) => frames.length));
    this.#clips = segments.map((segment) => {
      const cursor = new FrameCursor(new SingleFile(segment));
      cursor.show(0);
      return { cursor, canvas: new PictureCanvas() };
    });
    const sizes = this.#clips.map(({ cursor: { picture } }) => ({
      width: picture.width,
      height: picture.height,
    }));
    this.state = new Store<ClipState>({ isPlaying: false, plays: 0, sizes });
  }

  /** Draws a clip on this element from now on. Returns a function that detaches it. */
  attach(index: number, element: HTMLCanvasElement): Cancel {
    const clip = this.#clips[index];
    if (clip === undefined) throw new Error(`There is no clip ${index}.`);
    const detach = clip.canvas.attach(element, { alpha: false });
    this.#schedule();
    return detach;
  }

  toggle(): void {
    if (this.state.getSnapshot().isPlaying) this.pause();
    else this.play();
  }

  play(): void {
    this.#startedAt = this.#platform.now() - this.#toMs(this.#frame);
    this.state.set({ isPlaying: true });
    this.#schedule();
  }

  pause(): void {
    this.state.set({ isPlaying: false });
  }

  /** Plays from the first frame. */
  restart(): void {
    this.#frame = 0;
    this.play();
  }

  /** Returns the time since the clips were painted first, or null if they were not yet. */
  elapsedMs(): number | null {
    return this.#firstPaintAt === null ? null : this.#platform.now() - this.#firstPaintAt;
  }

  close(): void {
    this.#pending?.();
    this.#pending = null;
    for (const { canvas } of this.#clips) canvas.detach();
  }

  #schedule(): void {
    this.#pending ??= this.#platform.nextFrame(this.#paint);
  }

  readonly #paint = (at: number): void => {
    this.#pending = null;
    const { isPlaying } = this.state.getSnapshot();
    if (isPlaying) this.#advance(at);
    for (const { cursor, canvas } of this.#clips) {
      cursor.show(this.#frame);
      canvas.drawFrame(cursor.picture, this.#frame);
    }
    this.#firstPaintAt ??= at;
    if (isPlaying) this.#schedule();
  };

  /** Moves to the frame of this time. The last frame stays for a moment, then the loop begins again. */
  #advance(at: number): void {
    const length = this.#toMs(this.frameCount) + HOLD_MS;
    const elapsed = Math.max(at - this.#startedAt, 0);
    const loops = Math.floor(elapsed / length);
    if (loops > 0) {
      this.#startedAt += loops * length;
      // A tab in the background paints nothing, so that only one of these was seen.
      this.state.set({ plays: this.state.getSnapshot().plays + 1 });
    }
    const frame = Math.floor(((elapsed - loops * length) * this.#framesPerSecond) / 1000);
    this.#frame = Math.min(frame, this.frameCount - 1);
  }

  #toMs(frame: number): number {
    return (frame * 1000) / this.#framesPerSecond;
  }
}

/** A source of frames that are all in one file, which is loaded. */
class SingleFile extends FrameSource {
  readonly #file: SegmentFile;

  constructor(file: SegmentFile) {
    super([{ first_frame: 0, n_frames: file.frames.length, frames: "" }], () =>
      Promise.reject(new Error("The clip is loaded.")),
    );
    this.#file = file;
  }

  override peek(): SegmentFile {
    return this.#file;
  }
}
