/** Frames that a judgement is made from. */
const FRAMES = 45;
/** Frames after a request in which it comes into effect: the server moves 1 % of a step at each. */
const SETTLING = 20;
const SHARE = 0.01;
/** How long before the display's next frame an observation should arrive, milliseconds: it must be drawn by then. */
const MARGIN_MS = 3;
/** What is not worth a request, milliseconds: a tenth of a step's wait is not felt. */
const LEAST_MS = 1;
/** Pitch of the search, milliseconds. */
const PITCH_MS = 0.25;
/** A game with longer steps than this is not paced by a clock, or is too slow to tell. */
const LONGEST_MS = 70;
/** The display's rate and the game's fit when they differ by less. */
const TOLERANCE = 0.01;

/**
 * Asks the server to step just before the display shows, so that no picture waits for the display for long.
 *
 * A streamed picture that comes right after the display began a frame waits for the next: 8 ms on average at 60 Hz,
 * and where arrivals straddle that moment, pictures are lost and shown twice. Clocks of server and display drift, so it
 * keeps watching. On a display whose rate does not fit the game's there is nothing to win and nothing is asked.
 */
export class Aligner {
  readonly #ask: (laterMs: number) => void;
  #waiting: number[] = [];
  #waits: number[] = [];
  #steps: number[] = [];
  #gaps: number[] = [];
  #step: number | null = null;
  #paint: number | null = null;
  #skip = 0;

  /** `ask` is told by how much later the steps should come, in milliseconds; below zero: earlier. */
  constructor(ask: (laterMs: number) => void) {
    this.#ask = ask;
  }

  /** An observation is here, `at` by our clock; its step began at `steppedUs` by the server's. */
  arrived(at: number, steppedUs: number): void {
    if (this.#step !== null) this.#steps.push((steppedUs - this.#step) / 1000);
    this.#step = steppedUs;
    this.#waiting.push(at);
  }

  /** The display's frame that began at `at` shows the newest of what had arrived. */
  painted(at: number): void {
    if (this.#waiting.length === 0) return;
    if (this.#paint !== null) this.#gaps.push(at - this.#paint);
    this.#paint = at;
    for (const arrived of this.#waiting) {
      if (this.#skip > 0) this.#skip--;
      else this.#waits.push(at - arrived);
    }
    this.#waiting = [];
    if (this.#waits.length >= FRAMES) this.#judge();
  }

  /** A game begins, or goes on after a pause. */
  reset(): void {
    this.#forget();
    this.#step = this.#paint = null;
    this.#waiting = [];
    this.#skip = 0;
  }

  #forget(): void {
    this.#waits = [];
    this.#steps = [];
    this.#gaps = [];
  }

  #judge(): void {
    const period = median(this.#steps);
    const waits = this.#waits;
    const fits = period < LONGEST_MS && Math.abs(median(this.#gaps) / period - 1) < TOLERANCE;
    this.#forget();
    if (!fits) return;
    const now = meanWait(waits, 0, period);
    let best = { later: 0, wait: now };
    for (let later = -period / 2; later < period / 2; later += PITCH_MS) {
      const wait = meanWait(waits, later, period);
      if (wait < best.wait) best = { later, wait };
    }
    if (now - best.wait < LEAST_MS) return;
    this.#skip = SETTLING + Math.ceil(Math.abs(best.later) / (SHARE * period));
    this.#ask(best.later);
  }
}

/** Mean wait for the display if all came `later`; who then comes within the margin is taken for too late. */
function meanWait(waits: readonly number[], later: number, period: number): number {
  let sum = 0;
  for (const wait of waits) sum += modulo(wait - later - MARGIN_MS, period);
  return MARGIN_MS + sum / waits.length;
}

function modulo(value: number, period: number): number {
  return value - period * Math.floor(value / period);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;
}
