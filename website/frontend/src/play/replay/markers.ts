import type { StepData } from "./step-data";

/** An event of the recording, as the server sends it. */
export interface RecordedEvent {
  readonly number: number;
  readonly kind: string;
  readonly server_us: number;
  readonly client_us: number | null;
  readonly step: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events by which a viewer jumps; presses are too many. */
export const isNotable = ({ kind }: RecordedEvent): boolean => kind !== "input" && kind !== "setup";

/** A press of a control: the frames from `from` until before `to`. */
export interface Press {
  control: string;
  device: string;
  code: string;
  from: number;
  to: number;
}

/** Returns the presses in order. One that was not released ends with the episode. */
export function findPresses(events: readonly RecordedEvent[], frameCount: number): Press[] {
  const presses: Press[] = [];
  const open = new Map<string, Press>();
  for (const { kind, step, data } of events) {
    if (kind !== "input") continue;
    const control = textOf(data.control);
    const key = `${control} ${textOf(data.device)} ${textOf(data.code)}`;
    const held = open.get(key);
    if (data.down === true) {
      if (held !== undefined) held.to = Math.max(step, held.from + 1);
      const press: Press = {
        control,
        device: textOf(data.device),
        code: textOf(data.code),
        from: step,
        to: frameCount,
      };
      open.set(key, press);
      presses.push(press);
    } else if (held !== undefined) {
      held.to = Math.max(step, held.from + 1);
      open.delete(key);
    }
  }
  return presses;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** Returns the controls that are held at a frame, in the order in which they were pressed. */
export function pressedAt(presses: readonly Press[], frame: number): string[] {
  const held: string[] = [];
  // Presses are in the order of their start.
  let [low, high] = [0, presses.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((presses[middle]?.from ?? 0) <= frame) low = middle + 1;
    else high = middle;
  }
  for (let index = 0; index < low; index++) {
    const press = presses[index];
    if (press !== undefined && press.to > frame && !held.includes(press.control)) {
      held.push(press.control);
    }
  }
  return held;
}

/** Frames at which the reward is not 0. */
export function rewardFrames(data: StepData): number[] {
  const frames: number[] = [];
  for (let step = 0; step < data.loaded; step++)
    if (data.rewards[step] !== 0) frames.push(step + 1);
  return frames;
}

/** Frames at which lives are fewer than before. */
export function lifeLostFrames(data: StepData): number[] {
  const frames: number[] = [];
  for (let frame = 1; frame <= data.loaded; frame++) {
    if ((data.lives[frame] ?? NaN) < (data.lives[frame - 1] ?? NaN)) frames.push(frame);
  }
  return frames;
}

/** Returns the next or the previous one of these frames, which are in order; null if there is none. */
export function neighbour(frames: readonly number[], frame: number, by: 1 | -1): number | null {
  const found = by > 0 ? frames.find((one) => one > frame) : frames.findLast((one) => one < frame);
  return found ?? null;
}
