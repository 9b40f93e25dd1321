import { lastAtMost, type StepData } from "./step-data";

/** What two episodes side by side have in common at each moment. */
export const SYNC_MODES = ["step", "time", "score"] as const;
export type SyncMode = (typeof SYNC_MODES)[number];

/**
 * Returns the frame of the other episode that belongs to `frame`. By score, it is the first frame at
 * which the other one has at least the same score.
 */
export function matchingFrame(
  mode: SyncMode,
  frame: number,
  mine: StepData,
  other: StepData,
  otherFrameCount: number,
): number {
  const last = Math.max(otherFrameCount - 1, 0);
  if (mode === "step") return Math.min(frame, last);
  if (mode === "time") return Math.min(lastAtMost(other.times, mine.times[frame] ?? 0), last);
  const score = highest(mine, frame);
  for (let index = 0; index <= Math.min(other.loaded, last); index++) {
    if ((other.scores[index] ?? 0) >= score) return index;
  }
  return last;
}

function highest(data: StepData, frame: number): number {
  let best = -Infinity;
  for (let index = 0; index <= frame; index++) best = Math.max(best, data.scores[index] ?? 0);
  return best;
}
