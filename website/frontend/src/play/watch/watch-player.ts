import { type FrameHead, FrameDecoder } from "@/wire/packet";
import { type Scene, type WatchedGame, type WatcherMessage, WireError } from "@/wire/messages";

import { PictureCanvas } from "../picture-canvas";
import type { Cancel, Platform } from "../platform";
import { Store } from "../store";

/** Buffer with which playback begins, so that batches from the network are shown evenly. */
const BUFFER_MS = 300;
/** Frames beyond this are decoded at once: a watcher who joined, or whose network was slow. */
const MAX_BUFFER_MS = 900;
/** Longest time that an animation frame accounts for. */
const MAX_TICK_MS = 100;
/** Frames that may wait while the page is hidden, which has no animation frames. */
const MAX_WAITING = 1200;
const LENGTH_BYTES = 4;

export interface WatchState {
  game: WatchedGame | null;
  scene: Scene | null;
  score: number;
  /** null if the game has no lives. */
  lives: number | null;
  size: { width: number; height: number } | null;
}

type Item = ArrayBuffer | Scene;

/** Splits a batch into frame packets: each follows its length, a little-endian u32. */
export function splitBatch(batch: ArrayBuffer): ArrayBuffer[] {
  const view = new DataView(batch);
  const packets: ArrayBuffer[] = [];
  for (let place = 0; place < batch.byteLength;) {
    const start = place + LENGTH_BYTES;
    const end = start <= batch.byteLength ? start + view.getUint32(place, true) : Infinity;
    if (end > batch.byteLength)
      throw new WireError("The server sent an incomplete batch of frames.");
    packets.push(batch.slice(start, end));
    place = end;
  }
  return packets;
}

/** Shows the frames of a game that somebody else plays, at the game's own pace. */
export class WatchPlayer {
  readonly state = new Store<WatchState>({
    game: null,
    scene: null,
    score: 0,
    lives: null,
    size: null,
  });
  readonly #platform: Platform;
  readonly #decoder = new FrameDecoder();
  readonly #canvas = new PictureCanvas();
  /** Frames and scenes in the order in which they happened. */
  #waiting: Item[] = [];
  #frame = -1;
  #pending: Cancel | null = null;
  #tickAt = 0;
  /** Milliseconds of game time that are due. */
  #due = 0;
  #isBuffering = true;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Paints on this canvas from now on. Returns a function that detaches it. */
  attach(element: HTMLCanvasElement): Cancel {
    const detach = this.#canvas.attach(element, { alpha: false });
    this.#paint();
    return detach;
  }

  /** Forgets what waits; the next frame is a keyframe. */
  reset(): void {
    this.#waiting = [];
    this.#isBuffering = true;
    this.#decoder.reset();
  }

  /** Handles a text message. */
  receive(message: WatcherMessage): void {
    if (message.type === "game") {
      // It begins the connection, and a new start after this watcher was too slow.
      this.reset();
      this.state.set({ game: message });
    } else {
      this.#waiting.push(message);
      this.#schedule();
    }
  }

  /** Handles a batch of frames. Throws WireError if it is invalid. */
  receiveBatch(batch: ArrayBuffer): void {
    this.#waiting.push(...splitBatch(batch));
    if (this.#waiting.length > MAX_WAITING) this.#take(this.#waiting.length);
    this.#schedule();
  }

  close(): void {
    this.#pending?.();
    this.#pending = null;
    this.#canvas.detach();
  }

  get #periodMs(): number {
    const hz = this.state.getSnapshot().game?.hz ?? null;
    return hz === null ? 0 : 1000 / hz;
  }

  #schedule(): void {
    if (this.#pending !== null || this.#waiting.length === 0) return;
    this.#tickAt = this.#platform.now();
    this.#pending = this.#platform.nextFrame(this.#tick);
  }

  readonly #tick = (at: number): void => {
    const elapsed = Math.min(Math.max(at - this.#tickAt, 0), MAX_TICK_MS);
    this.#tickAt = at;
    this.#take(this.#countDue(elapsed));
    this.#pending = this.#waiting.length > 0 ? this.#platform.nextFrame(this.#tick) : null;
    if (this.#pending === null) this.#isBuffering = true;
  };

  /** Returns how many items are due after this time. */
  #countDue(elapsed: number): number {
    const period = this.#periodMs;
    const waiting = this.#waiting.length;
    if (period === 0) return waiting;
    if (waiting * period > MAX_BUFFER_MS) {
      this.#isBuffering = false;
      this.#due = 0;
      return waiting - Math.floor(BUFFER_MS / period);
    }
    this.#due += elapsed;
    if (this.#isBuffering) {
      // What comes last, such as the end of the game, does not fill the buffer.
      if (waiting * period < BUFFER_MS && this.#due < BUFFER_MS) return 0;
      this.#isBuffering = false;
      this.#due = period;
    }
    const count = Math.floor(this.#due / period);
    this.#due -= count * period;
    return count;
  }

  /** Decodes the next items, and paints the last frame of them. */
  #take(count: number): void {
    let head: FrameHead | null = null;
    for (const item of this.#waiting.splice(0, count)) {
      if (item instanceof ArrayBuffer) head = this.#decoder.decode(item);
      else this.state.set({ scene: item });
    }
    if (head === null) return;
    this.#frame = head.frame;
    this.#paint();
    const { width, height } = this.#decoder.picture;
    const { size } = this.state.getSnapshot();
    this.state.set({
      score: head.score,
      lives: head.lives < 0 ? null : head.lives,
      size: size?.width === width && size.height === height ? size : { width, height },
    });
  }

  #paint(): void {
    this.#canvas.drawFrame(this.#decoder.picture, this.#frame);
  }
}
