/**
 * Queue lengths in steps: at which playback starts, that it aims at, and above which the oldest
 * steps are dropped.
 */
export const QUEUE_STEPS = { start: 2, target: 2.5, max: 4 } as const;
/** Capacity of the ring buffer in steps. */
const RING_STEPS = 8;
const SAMPLE_ZERO = 128;
/** Change of the playback rate per step of deviation from the target length, and its maximum. */
const RATE_CORRECTION = { perStep: 0.012, max: 0.015 } as const;
/** Weight of a block in the moving average of the queue length. */
const LEVEL_SMOOTHING = 0.02;
/** Coefficient of the DC-blocking filter: cut-off about 40 Hz at 48 kHz, time constant 4 ms. */
const DC_BLOCK_COEFFICIENT = 0.995;

/** Statistics of the queue. */
export interface AudioStats {
  /** Newest step that was received. */
  frame: number;
  /** Queued steps, including fractions. */
  queuedSteps: number;
  /** Steps that were dropped because they were late. */
  droppedSteps: number;
  /** Number of times that the queue ran empty. */
  underruns: number;
  /** Samples written to the output, and how many of them were audible. */
  playedSamples: number;
  audibleSamples: number;
}

const AUDIBLE_LEVEL = 0.004;

/**
 * Queue between the sound of the game's steps and the sound card. It resamples and stays within a
 * few steps of the picture.
 *
 * Steps that are too late are dropped. When the queue runs empty, it fades out and waits for two
 * steps. The clocks of game and sound card differ, so the playback rate changes by up to 1.5 % (a
 * quarter of a semitone) to keep two and a half steps queued.
 */
export class SoundQueue {
  readonly #ratio: number;
  #stepLength = 0;
  #ring = new Float32Array(0);
  /** Index of the next sample, its fraction, and the number of queued samples. */
  #readIndex = 0;
  #fraction = 0;
  #sampleCount = 0;
  #meanSteps = 0;
  #isPlaying = false;
  #lastInput = 0;
  #lastOutput = 0;
  #hasGap = false;
  #newestFrame = -1;
  #droppedSteps = 0;
  #underruns = 0;
  #playedSamples = 0;
  #audibleSamples = 0;

  /** `from` and `to` are the sample rates of the game and of the sound card. */
  constructor(from: number, to: number) {
    this.#ratio = from / to;
  }

  get stats(): AudioStats {
    return {
      frame: this.#newestFrame,
      queuedSteps: this.#stepLength === 0 ? 0 : this.#sampleCount / this.#stepLength,
      droppedSteps: this.#droppedSteps,
      underruns: this.#underruns,
      playedSamples: this.#playedSamples,
      audibleSamples: this.#audibleSamples,
    };
  }

  /** Adds the unsigned samples of a step. */
  push(frame: number, samples: Uint8Array): void {
    if (samples.length !== this.#stepLength) this.#resize(samples.length);
    const size = this.#ring.length;
    for (const [index, sample] of samples.entries()) {
      this.#ring[(this.#readIndex + this.#sampleCount + index) % size] =
        (sample - SAMPLE_ZERO) / SAMPLE_ZERO;
    }
    this.#sampleCount += samples.length;
    this.#newestFrame = frame;
    if (this.#sampleCount > QUEUE_STEPS.max * this.#stepLength)
      this.#drop(Math.floor(this.#sampleCount / this.#stepLength) - 2);
  }

  /** Discards the queue because the game is paused. */
  clear(): void {
    this.#sampleCount = this.#fraction = 0;
    this.#isPlaying = false;
    this.#hasGap = true;
  }

  /** Fills an output block. */
  read(block: Float32Array): void {
    this.#meanSteps +=
      LEVEL_SMOOTHING * (this.#sampleCount / Math.max(1, this.#stepLength) - this.#meanSteps);
    const correction = RATE_CORRECTION.perStep * (this.#meanSteps - QUEUE_STEPS.target);
    const ratio =
      this.#ratio * (1 + Math.max(-RATE_CORRECTION.max, Math.min(RATE_CORRECTION.max, correction)));
    for (let index = 0; index < block.length; index++) {
      const value = this.#blockDc(this.#next(ratio));
      block[index] = value;
      if (Math.abs(value) > AUDIBLE_LEVEL) this.#audibleSamples++;
    }
    this.#playedSamples += block.length;
  }

  #next(ratio: number): number {
    if (
      !this.#isPlaying &&
      this.#stepLength > 0 &&
      this.#sampleCount >= QUEUE_STEPS.start * this.#stepLength
    ) {
      this.#isPlaying = this.#hasGap = true;
      this.#meanSteps = this.#sampleCount / this.#stepLength;
    }
    if (!this.#isPlaying) return 0;
    if (this.#sampleCount < ratio + 2) {
      this.#underruns++;
      this.clear();
      return 0;
    }
    const size = this.#ring.length;
    const current = this.#ring[this.#readIndex] ?? 0;
    const following = this.#ring[(this.#readIndex + 1) % size] ?? 0;
    const value = current + this.#fraction * (following - current);
    this.#fraction += ratio;
    const whole = Math.floor(this.#fraction);
    this.#fraction -= whole;
    this.#readIndex = (this.#readIndex + whole) % size;
    this.#sampleCount -= whole;
    return value;
  }

  /**
   * Removes the constant part. At a gap the filter continues from the last output, which avoids a
   * click.
   */
  #blockDc(raw: number): number {
    const change = this.#hasGap ? 0 : raw - this.#lastInput;
    this.#hasGap = false;
    this.#lastInput = raw;
    this.#lastOutput = DC_BLOCK_COEFFICIENT * this.#lastOutput + change;
    return this.#lastOutput;
  }

  #drop(steps: number): void {
    const samples = steps * this.#stepLength;
    this.#readIndex = (this.#readIndex + samples) % this.#ring.length;
    this.#sampleCount -= samples;
    this.#droppedSteps += steps;
    this.#meanSteps = this.#sampleCount / this.#stepLength;
    this.#hasGap = true;
  }

  /** Allocates a new ring buffer for steps of another length. */
  #resize(samples: number): void {
    this.clear();
    this.#stepLength = samples;
    this.#ring = new Float32Array(RING_STEPS * samples);
    this.#readIndex = 0;
  }
}
