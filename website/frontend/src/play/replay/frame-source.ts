import { FrameDecoder, type Picture } from "@/wire/packet";
import { SegmentFile } from "@/wire/segment";

/** Where the frames of a segment are. */
export interface SegmentRange {
  readonly first_frame: number;
  readonly n_frames: number;
  /** Path of the file; null if the segment has no frames. */
  readonly frames: string | null;
}

export type LoadFile = (path: string, signal: AbortSignal) => Promise<ArrayBuffer>;

/** Memory for files of segments. Ten minutes of Atari take 10 to 30 MB. */
const MAX_CACHED_BYTES = 32 << 20;
/** Distance of the pictures that are kept to step backwards within a segment. */
const CHECKPOINT_FRAMES = 60;
const MAX_CHECKPOINT_BYTES = 16 << 20;

/** Loads the segments of an episode, keeps the most recently used ones, and finds frames in them. */
export class FrameSource {
  readonly segments: readonly SegmentRange[];
  readonly frameCount: number;
  readonly #load: LoadFile;
  readonly #abort = new AbortController();
  /** In the order of their last use. */
  readonly #files = new Map<number, SegmentFile>();
  readonly #loading = new Map<number, Promise<SegmentFile>>();
  #bytes = 0;
  /** Bytes fetched so far. */
  fetchedBytes = 0;

  constructor(segments: readonly SegmentRange[], load: LoadFile) {
    this.segments = segments.filter(({ frames }) => frames !== null);
    const last = this.segments.at(-1);
    this.frameCount = last === undefined ? 0 : last.first_frame + last.n_frames;
    this.#load = load;
  }

  /** Returns the index of the segment that contains a frame. */
  segmentOf(frame: number): number {
    let [low, high] = [0, this.segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.segments[middle]?.first_frame ?? 0) <= frame) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Returns a segment that is loaded, or null. */
  peek(index: number): SegmentFile | null {
    const file = this.#files.get(index);
    if (file === undefined) return null;
    this.#files.delete(index);
    this.#files.set(index, file);
    return file;
  }

  /** Loads a segment. Concurrent calls share one request. */
  get(index: number): Promise<SegmentFile> {
    const cached = this.peek(index);
    if (cached !== null) return Promise.resolve(cached);
    const running = this.#loading.get(index);
    if (running !== undefined) return running;
    const request = this.#fetch(index).finally(() => this.#loading.delete(index));
    this.#loading.set(index, request);
    return request;
  }

  /** Loads a segment in advance. Errors appear when it is needed. */
  prefetch(index: number): void {
    if (index < 0 || index >= this.segments.length || this.#files.has(index)) return;
    this.get(index).catch(() => undefined);
  }

  close(): void {
    this.#abort.abort();
    this.#files.clear();
  }

  async #fetch(index: number): Promise<SegmentFile> {
    const path = this.segments[index]?.frames;
    if (path === undefined || path === null) throw new Error("This episode has no frames yet.");
    const bytes = await this.#load(path, this.#abort.signal);
    const file = new SegmentFile(bytes);
    this.fetchedBytes += bytes.byteLength;
    this.#bytes += file.byteLength;
    this.#files.set(index, file);
    for (const [old, { byteLength }] of this.#files) {
      if (this.#bytes <= MAX_CACHED_BYTES || old === index) break;
      this.#files.delete(old);
      this.#bytes -= byteLength;
    }
    return file;
  }
}

interface Checkpoint {
  index: number;
  width: number;
  height: number;
  pixels: Uint32Array<ArrayBuffer>;
}

/**
 * Decodes frames with the decoder of live play. Forwards it decodes what is between; backwards it
 * starts at a keyframe or, within a segment, at a picture that it has kept.
 */
export class FrameCursor {
  readonly #source: FrameSource;
  readonly #decoder = new FrameDecoder();
  #file: SegmentFile | null = null;
  #index = -1;
  #checkpoints: Checkpoint[] = [];
  #checkpointBytes = 0;

  constructor(source: FrameSource) {
    this.#source = source;
  }

  get picture(): Picture {
    return this.#decoder.picture;
  }

  /** Decodes a frame if its segment is loaded. Returns whether it is. */
  show(frame: number): boolean {
    const segment = this.#source.segmentOf(frame);
    const file = this.#source.peek(segment);
    if (file === null) return false;
    const first = this.#source.segments[segment]?.first_frame ?? 0;
    this.#decode(file, frame - first, first);
    return true;
  }

  #decode(file: SegmentFile, target: number, first: number): void {
    if (file !== this.#file) this.#open(file);
    if (target < this.#index && !this.#restore(file, target)) this.#index = -1;
    const keyframe = file.keyframeBefore(target);
    if (this.#index < keyframe) this.#index = keyframe - 1;
    for (let next = this.#index + 1; next <= target; next++) {
      this.#decoder.decode(file.packet(next, first + next));
      this.#index = next;
      if (next % CHECKPOINT_FRAMES === 0) this.#keep(next);
    }
  }

  #open(file: SegmentFile): void {
    this.#file = file;
    this.#index = -1;
    this.#checkpoints = [];
    this.#checkpointBytes = 0;
    this.#decoder.reset();
  }

  #keep(index: number): void {
    const { width, height, pixels } = this.#decoder.picture;
    if (this.#checkpoints.some((kept) => kept.index === index)) return;
    if (this.#checkpointBytes + pixels.byteLength > MAX_CHECKPOINT_BYTES) return;
    this.#checkpointBytes += pixels.byteLength;
    this.#checkpoints.push({ index, width, height, pixels: pixels.slice() });
  }

  /** Continues from the newest kept picture before `target`. The palette of a segment only grows. */
  #restore(file: SegmentFile, target: number): boolean {
    const keyframe = file.keyframeBefore(target);
    const kept = this.#checkpoints
      .filter(({ index }) => index <= target && index >= keyframe)
      .reduce<Checkpoint | null>(
        (best, one) => (best !== null && best.index > one.index ? best : one),
        null,
      );
    const { width, height, pixels } = this.#decoder.picture;
    if (kept?.width !== width || kept.height !== height) return false;
    pixels.set(kept.pixels);
    this.#index = kept.index;
    return true;
  }
}
