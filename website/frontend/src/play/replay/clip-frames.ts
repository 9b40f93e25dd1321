import type { ClipFrame } from "./apng-encoder";
import { FrameCursor, type FrameSource } from "./frame-source";
import type { FrameRange } from "./replay-player";

/** Duration of the episode's last frame in a clip. */
const LAST_FRAME_MS = 500;
/** Shortest duration: zero means something else in each format. */
const MIN_FRAME_MS = 1;

/**
 * Decodes the frames of a range with the durations by these times, one after the other. Frames that
 * were prolonged to the shortest duration are made up for, so that the clip is as long as its range.
 */
export async function* readClipFrames(
  source: FrameSource,
  times: Float64Array,
  { from, to }: FrameRange,
  signal: AbortSignal,
): AsyncGenerator<ClipFrame> {
  const cursor = new FrameCursor(source);
  let endMs = times[from] ?? 0;
  for (let frame = from; frame <= to; frame++) {
    signal.throwIfAborted();
    const segment = source.segmentOf(frame);
    if (source.peek(segment) === null) await source.get(segment);
    cursor.show(frame);
    const next = times[frame + 1] ?? endMs + LAST_FRAME_MS;
    const durationMs = Math.max(next - endMs, MIN_FRAME_MS);
    endMs += durationMs;
    yield { picture: cursor.picture, durationMs };
  }
}
