/** A number as in JSON, which has no NaN and no infinity: those are strings. */
type JsonNumber = number | "NaN" | "Infinity" | "-Infinity";

/** A page of steps as the server sends it. */
export interface StepPage {
  readonly first: number;
  readonly action: readonly number[];
  readonly reward: readonly JsonNumber[];
  readonly lives: readonly (number | null)[];
  readonly server_us: readonly number[];
  readonly stepped_us: readonly (number | null)[];
  readonly shown_us: readonly (number | null)[];
  readonly input_us: readonly (number | null)[];
  readonly input_received_us: readonly (number | null)[];
}

/** Longest time for which a frame stays if pauses are skipped. */
export const MAX_GAP_MS = 1000;
/** Period of frames whose time is not loaded yet. */
const NOMINAL_MS = 1000 / 60;

/**
 * The steps of an episode in typed arrays, filled page by page from the first one. Frame k is the
 * observation after step k - 1; frame 0 is that of the reset.
 */
export class StepData {
  readonly stepCount: number;
  /** Number of steps that are loaded. */
  loaded = 0;
  readonly actions: Int32Array;
  readonly rewards: Float64Array;
  /** Score at each frame. */
  readonly scores: Float64Array;
  /** Lives at each frame; NaN if unknown. */
  readonly lives: Float64Array;
  /** Milliseconds from the recorded time of frame 0 to that of each frame. */
  readonly times: Float64Array;
  /** The same with gaps of at most MAX_GAP_MS. */
  readonly shortTimes: Float64Array;
  /** Latency from the input that came into force with a step to its picture, ms; NaN if there is none. */
  readonly latencies: Float64Array;
  #steppedBefore: number | null = null;
  #serverBefore = 0;
  #inputBefore: number | null = null;
  #pendingInput: number | null = null;

  constructor(stepCount: number, initialLives: number | null = null) {
    this.stepCount = stepCount;
    this.actions = new Int32Array(stepCount);
    this.rewards = new Float64Array(stepCount);
    this.latencies = new Float64Array(stepCount).fill(NaN);
    this.scores = new Float64Array(stepCount + 1);
    this.lives = new Float64Array(stepCount + 1).fill(NaN);
    this.lives[0] = initialLives ?? NaN;
    this.times = new Float64Array(stepCount + 1);
    this.shortTimes = new Float64Array(stepCount + 1);
    for (let frame = 1; frame <= stepCount; frame++) {
      this.times[frame] = frame * NOMINAL_MS;
      this.shortTimes[frame] = frame * NOMINAL_MS;
    }
  }

  get isComplete(): boolean {
    return this.loaded >= this.stepCount;
  }

  /** Adds the next page. Pages must come in order. */
  add(page: StepPage): void {
    if (page.first !== this.loaded) throw new Error(`Step ${this.loaded} must be loaded next.`);
    const count = Math.min(page.action.length, this.stepCount - this.loaded);
    for (let index = 0; index < count; index++) this.#addStep(page, index);
    this.#estimateRest();
  }

  #addStep(page: StepPage, index: number): void {
    const step = this.loaded;
    const reward = Number(page.reward[index] ?? 0);
    this.actions[step] = page.action[index] ?? 0;
    this.rewards[step] = reward;
    this.scores[step + 1] = (this.scores[step] ?? 0) + reward;
    this.lives[step + 1] = page.lives[index] ?? this.lives[step] ?? NaN;
    this.#addTime(step, page.server_us[index] ?? 0, page.stepped_us[index] ?? null);
    this.#addLatency(step, page.input_us[index] ?? null, page.shown_us[index] ?? null);
    this.loaded = step + 1;
  }

  /**
   * In lockstep the browser's clock counts, because the server verifies steps in groups. Frame
   * `step + 1` appeared with the step.
   */
  #addTime(step: number, serverUs: number, steppedUs: number | null): void {
    const gapUs =
      steppedUs !== null && this.#steppedBefore !== null
        ? steppedUs - this.#steppedBefore
        : serverUs - this.#serverBefore;
    const gap = Math.max(gapUs / 1000, 0);
    this.times[step + 1] = (this.times[step] ?? 0) + gap;
    this.shortTimes[step + 1] = (this.shortTimes[step] ?? 0) + Math.min(gap, MAX_GAP_MS);
    this.#steppedBefore = steppedUs;
    this.#serverBefore = serverUs;
  }

  /** As in the view `input_latency`: from the press to the paint of the first picture made with it. */
  #addLatency(step: number, inputUs: number | null, shownUs: number | null): void {
    if (this.#pendingInput !== null && shownUs !== null) {
      this.latencies[step - 1] = (shownUs - this.#pendingInput) / 1000;
    }
    this.#pendingInput = inputUs !== this.#inputBefore ? inputUs : null;
    this.#inputBefore = inputUs;
  }

  /** Continues the times after the loaded steps at the nominal rate. */
  #estimateRest(): void {
    for (const times of [this.times, this.shortTimes]) {
      const base = times[this.loaded] ?? 0;
      for (let frame = this.loaded + 1; frame <= this.stepCount; frame++) {
        times[frame] = base + (frame - this.loaded) * NOMINAL_MS;
      }
    }
  }
}

/** Returns the last index at which a non-decreasing array is at most `value`; 0 if there is none. */
export function lastAtMost(values: Float64Array, value: number, count = values.length): number {
  let [low, high] = [0, count - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((values[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
