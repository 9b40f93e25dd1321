/** Steps that wait before playing begins, that are aimed at while it goes on, and above which the oldest are dropped. */
export const STEPS = { first: 2, aim: 2.5, most: 4 } as const;
/** Room in the ring, in steps. */
const ROOM = 8;
const MIDDLE = 128;
/** How much faster the queue is played for each step that it is longer than aimed at, and at most. */
const PULL = { each: 0.012, most: 0.015 } as const;
/** Share by which the mean length follows the length, a block. */
const FOLLOW = 0.02;
/** Of the filter that takes away what is constant, below some 40 Hz at 48 kHz: it forgets in 4 ms. */
const KEEP = 0.995;

/** What has become of the sound so far. */
export interface Account {
  /** Newest step that has come. */
  frame: number;
  /** Steps that wait, with their part of one. */
  waiting: number;
  /** Steps that were dropped for being late. */
  dropped: number;
  /** How often nothing was there to play. */
  dry: number;
  /** Samples given out, and how many of them could be heard. */
  played: number;
  loud: number;
}

const AUDIBLE = 0.004;

/**
 * Sound of a game's steps on its way to the ear: resampled, and never more than some steps behind the picture.
 *
 * What comes too late to be played in time is dropped; where nothing is there, it fades out and waits for the
 * next two steps. Clocks of game and sound card differ, so it plays by up to
 * 1.5 % faster or slower, a quarter of a semitone, to have two and a half steps waiting.
 */
export class SoundQueue {
  readonly #ratio: number;
  #step = 0;
  #ring = new Float32Array(0);
  /** Where the next sample is read, and how many are there. */
  #read = 0;
  #part = 0;
  #count = 0;
  #mean = 0;
  #playing = false;
  #raw = 0;
  #heard = 0;
  #cut = false;
  #frame = -1;
  #dropped = 0;
  #dry = 0;
  #played = 0;
  #loud = 0;

  /** `from` and `to`: samples a second of the game and of the sound card. */
  constructor(from: number, to: number) {
    this.#ratio = from / to;
  }

  get account(): Account {
    return {
      frame: this.#frame,
      waiting: this.#step === 0 ? 0 : this.#count / this.#step,
      dropped: this.#dropped,
      dry: this.#dry,
      played: this.#played,
      loud: this.#loud,
    };
  }

  /** A step's unsigned samples have come. */
  push(frame: number, samples: Uint8Array): void {
    if (samples.length !== this.#step) this.#resize(samples.length);
    const size = this.#ring.length;
    for (const [index, sample] of samples.entries()) {
      this.#ring[(this.#read + this.#count + index) % size] = (sample - MIDDLE) / MIDDLE;
    }
    this.#count += samples.length;
    this.#frame = frame;
    if (this.#count > STEPS.most * this.#step) this.#drop(Math.floor(this.#count / this.#step) - 2);
  }

  /** The game stands still: forget what waits. */
  clear(): void {
    this.#count = this.#part = 0;
    this.#playing = false;
    this.#cut = true;
  }

  /** Fill a block. */
  read(block: Float32Array): void {
    this.#mean += FOLLOW * (this.#count / Math.max(1, this.#step) - this.#mean);
    const pull = PULL.each * (this.#mean - STEPS.aim);
    const pace = this.#ratio * (1 + Math.max(-PULL.most, Math.min(PULL.most, pull)));
    for (let index = 0; index < block.length; index++) {
      const value = this.#smooth(this.#next(pace));
      block[index] = value;
      if (Math.abs(value) > AUDIBLE) this.#loud++;
    }
    this.#played += block.length;
  }

  #next(pace: number): number {
    if (!this.#playing && this.#step > 0 && this.#count >= STEPS.first * this.#step) {
      this.#playing = this.#cut = true;
      this.#mean = this.#count / this.#step;
    }
    if (!this.#playing) return 0;
    if (this.#count < pace + 2) {
      this.#dry++;
      this.clear();
      return 0;
    }
    const size = this.#ring.length;
    const here = this.#ring[this.#read] ?? 0;
    const after = this.#ring[(this.#read + 1) % size] ?? 0;
    const value = here + this.#part * (after - here);
    this.#part += pace;
    const whole = Math.floor(this.#part);
    this.#part -= whole;
    this.#read = (this.#read + whole) % size;
    this.#count -= whole;
    return value;
  }

  /** Without what is constant. Where the sound is cut, the filter goes on from what was heard last: no click. */
  #smooth(raw: number): number {
    const change = this.#cut ? 0 : raw - this.#raw;
    this.#cut = false;
    this.#raw = raw;
    this.#heard = KEEP * this.#heard + change;
    return this.#heard;
  }

  #drop(steps: number): void {
    const samples = steps * this.#step;
    this.#read = (this.#read + samples) % this.#ring.length;
    this.#count -= samples;
    this.#dropped += steps;
    this.#mean = this.#count / this.#step;
    this.#cut = true;
  }

  /** A step has another length than the one before: a new ring. */
  #resize(samples: number): void {
    this.clear();
    this.#step = samples;
    this.#ring = new Float32Array(ROOM * samples);
    this.#read = 0;
  }
}
