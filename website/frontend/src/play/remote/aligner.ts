/** Frames that a judgement is made from. */
const SAMPLE_FRAMES = 45;
/** Frames after a request in which it comes into effect: the server moves 1 % of a step at each. */
const SETTLING_FRAMES = 20;
const SHIFT_PER_STEP = 0.01;
/** How long before the display's next frame an observation should arrive, milliseconds: it must be drawn by then. */
const MARGIN_MS = 3;
/** What is not worth a request, milliseconds: a tenth of a step's wait is not felt. */
const MIN_GAIN_MS = 1;
/** Pitch of the search, milliseconds. */
const SEARCH_STEP_MS = 0.25;
/** A game with longer steps than this is not paced by a clock, or is too slow to tell. */
const MAX_STEP_MS = 70;
/** The display's rate and the game's fit when they differ by less. */
const RATE_TOLERANCE = 0.01;

/**
 * Asks the server to step just before the display shows, so that no picture waits for the display for long.
 *
 * A streamed picture that comes right after the display began a frame waits for the next: 8 ms on average at 60 Hz,
 * and where arrivals straddle that moment, pictures are lost and shown twice. Clocks of server and display drift, so it
 * keeps watching. On a display whose rate does not fit the game's there is nothing to win and nothing is asked.
 */
export class Aligner {
  readonly #requestShift: (laterMs: number) => void;
  #unpainted: number[] = [];
  #waitsMs: number[] = [];
  #stepPeriodsMs: number[] = [];
  #paintGapsMs: number[] = [];
  #lastStepUs: number | null = null;
  #lastPaintAt: number | null = null;
  #skipCount = 0;

  /** `ask` is told by how much later the steps should come, in milliseconds; below zero: earlier. */
  constructor(requestShift: (laterMs: number) => void) {
    this.#requestShift = requestShift;
  }

  /** An observation is here, `at` by our clock; its step began at `steppedUs` by the server's. */
  onArrival(at: number, steppedUs: number): void {
    if (this.#lastStepUs !== null) this.#stepPeriodsMs.push((steppedUs - this.#lastStepUs) / 1000);
    this.#lastStepUs = steppedUs;
    this.#unpainted.push(at);
  }

  /** The display's frame that began at `at` shows the newest of what had arrived. */
  onPaint(at: number): void {
    if (this.#unpainted.length === 0) return;
    if (this.#lastPaintAt !== null) this.#paintGapsMs.push(at - this.#lastPaintAt);
    this.#lastPaintAt = at;
    for (const arrived of this.#unpainted) {
      if (this.#skipCount > 0) this.#skipCount--;
      else this.#waitsMs.push(at - arrived);
    }
    this.#unpainted = [];
    if (this.#waitsMs.length >= SAMPLE_FRAMES) this.#evaluate();
  }

  /** A game begins, or goes on after a pause. */
  reset(): void {
    this.#clearSamples();
    this.#lastStepUs = this.#lastPaintAt = null;
    this.#unpainted = [];
    this.#skipCount = 0;
  }

  #clearSamples(): void {
    this.#waitsMs = [];
    this.#stepPeriodsMs = [];
    this.#paintGapsMs = [];
  }

  #evaluate(): void {
    const period = median(this.#stepPeriodsMs);
    const waits = this.#waitsMs;
    const fits =
      period < MAX_STEP_MS && Math.abs(median(this.#paintGapsMs) / period - 1) < RATE_TOLERANCE;
    this.#clearSamples();
    if (!fits) return;
    const now = meanWait(waits, 0, period);
    let best = { later: 0, wait: now };
    for (let later = -period / 2; later < period / 2; later += SEARCH_STEP_MS) {
      const wait = meanWait(waits, later, period);
      if (wait < best.wait) best = { later, wait };
    }
    if (now - best.wait < MIN_GAIN_MS) return;
    this.#skipCount = SETTLING_FRAMES + Math.ceil(Math.abs(best.later) / (SHIFT_PER_STEP * period));
    this.#requestShift(best.later);
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
