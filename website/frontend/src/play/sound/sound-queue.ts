/** Steps that wait before playing begins, that are aimed at while it goes on, and above which the oldest are dropped. */
export const QUEUE_STEPS = { start: 2, target: 2.5, max: 4 } as const;
/** Room in the ring, in steps. */
const RING_STEPS = 8;
const SAMPLE_ZERO = 128;
/** How much faster the queue is played for each step that it is longer than aimed at, and at most. */
const RATE_CORRECTION = { perStep: 0.012, max: 0.015 } as const;
/** Share by which the mean length follows the length, a block. */
const LEVEL_SMOOTHING = 0.02;
/** Of the filter that takes away what is constant, below some 40 Hz at 48 kHz: it forgets in 4 ms. */
const DC_BLOCK_COEFFICIENT = 0.995;

/** What has become of the sound so far. */
export interface AudioStats {
  /** Newest step that has come. */
  frame: number;
  /** Steps that wait, with their part of one. */
  queuedSteps: number;
  /** Steps that were dropped for being late. */
  droppedSteps: number;
  /** How often nothing was there to play. */
  underruns: number;
  /** Samples given out, and how many of them could be heard. */
  playedSamples: number;
  audibleSamples: number;
}

const AUDIBLE_LEVEL = 0.004;

/**
 * Sound of a game's steps on its way to the ear: resampled, and never more than some steps behind the picture.
 *
 * What comes too late to be played in time is dropped; where nothing is there, it fades out and waits for the
 * next two steps. Clocks of game and sound card differ, so it plays by up to
 * 1.5 % faster or slower, a quarter of a semitone, to have two and a half steps waiting.
 */
export class SoundQueue {
  readonly #ratio: number;
  #stepLength = 0;
  #ring = new Float32Array(0);
  /** Where the next sample is read, and how many are there. */
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

  /** `from` and `to`: samples a second of the game and of the sound card. */
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

  /** A step's unsigned samples have come. */
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

  /** The game stands still: forget what waits. */
  clear(): void {
    this.#sampleCount = this.#fraction = 0;
    this.#isPlaying = false;
    this.#hasGap = true;
  }

  /** Fill a block. */
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

  /** Without what is constant. Where the sound is cut, the filter goes on from what was heard last: no click. */
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

  /** A step has another length than the one before: a new ring. */
  #resize(samples: number): void {
    this.clear();
    this.#stepLength = samples;
    this.#ring = new Float32Array(RING_STEPS * samples);
    this.#readIndex = 0;
  }
}
