import type { Press, RecordedEvent } from "./markers";
import type { StepData } from "./step-data";

/** An episode in as many bins as the timeline has pixels. */
export interface TimelineBins {
  count: number;
  /** Highest and lowest score in each bin; NaN if it is not loaded. */
  highScores: Float32Array;
  lowScores: Float32Array;
  /** 1 if there is such a frame in the bin. */
  gains: Uint8Array;
  losses: Uint8Array;
  livesLost: Uint8Array;
  events: Uint8Array;
  notes: Uint8Array;
  /** By control: share of the bin's frames at which it is held. */
  held: ReadonlyMap<string, Float32Array>;
}

export interface TimelineSource {
  data: StepData;
  frameCount: number;
  presses: readonly Press[];
  livesLost: readonly number[];
  events: readonly RecordedEvent[];
  notes: readonly { step_from: number; step_to: number }[];
}

/** Returns the bin of a frame. */
export const binOf = (frame: number, frameCount: number, count: number): number =>
  Math.min(Math.floor((frame * count) / Math.max(frameCount, 1)), count - 1);

/** Bins an episode; the work is linear in its frames, whatever the number of bins is. */
export function binTimeline(source: TimelineSource, count: number): TimelineBins {
  const { data, frameCount } = source;
  const bins: TimelineBins = {
    count,
    highScores: new Float32Array(count).fill(NaN),
    lowScores: new Float32Array(count).fill(NaN),
    gains: new Uint8Array(count),
    losses: new Uint8Array(count),
    livesLost: new Uint8Array(count),
    events: new Uint8Array(count),
    notes: new Uint8Array(count),
    held: binPresses(source, count),
  };
  const lastFrame = data.loaded === 0 ? -1 : Math.min(data.loaded, frameCount - 1);
  for (let frame = 0; frame <= lastFrame; frame++) {
    const bin = binOf(frame, frameCount, count);
    const score = data.scores[frame] ?? 0;
    const { [bin]: high = NaN } = bins.highScores;
    const { [bin]: low = NaN } = bins.lowScores;
    if (!(score <= high)) bins.highScores[bin] = score;
    if (!(score >= low)) bins.lowScores[bin] = score;
    const reward = frame === 0 ? 0 : (data.rewards[frame - 1] ?? 0);
    if (reward > 0) bins.gains[bin] = 1;
    if (reward < 0) bins.losses[bin] = 1;
  }
  for (const frame of source.livesLost) bins.livesLost[binOf(frame, frameCount, count)] = 1;
  for (const { step } of source.events) bins.events[binOf(step, frameCount, count)] = 1;
  for (const { step_from: from, step_to: to } of source.notes) {
    bins.notes.fill(1, binOf(from, frameCount, count), binOf(to - 1, frameCount, count) + 1);
  }
  return bins;
}

function binPresses({ presses, frameCount }: TimelineSource, count: number) {
  const held = new Map<string, Float32Array>();
  const framesPerBin = Math.max(frameCount / count, 1);
  for (const { control, from, to } of presses) {
    const shares = held.get(control) ?? new Float32Array(count);
    held.set(control, shares);
    const [first, last] = [binOf(from, frameCount, count), binOf(to - 1, frameCount, count)];
    for (let bin = first; bin <= last; bin++) {
      const begin = Math.max(from, (bin * frameCount) / count);
      const end = Math.min(to, ((bin + 1) * frameCount) / count);
      const share = Math.max(end - begin, 1) / framesPerBin;
      shares[bin] = Math.min((shares[bin] ?? 0) + share, 1);
    }
  }
  return held;
}
