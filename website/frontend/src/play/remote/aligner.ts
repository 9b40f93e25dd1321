/** Number of frames that one evaluation uses. */
const SAMPLE_FRAMES = 45;
/**
 * Frames to ignore after a request, until the server has applied it. The server shifts each step by
 * 1 % of its period.
 */
const SETTLING_FRAMES = 20;
const SHIFT_PER_STEP = 0.01;
/**
 * How long before a display frame an observation should arrive, in milliseconds. It must be drawn
 * by then.
 */
const MARGIN_MS = 3;
/** Smallest improvement that is worth a request, in milliseconds. */
const MIN_GAIN_MS = 1;
/** Step width of the search, in milliseconds. */
const SEARCH_STEP_MS = 0.25;
/** Games with longer steps are turn-based, or too slow to measure. */
const MAX_STEP_MS = 70;
/** Relative difference up to which the rates of display and game match. */
const RATE_TOLERANCE = 0.01;

/**
 * Asks the server to shift its steps so that pictures arrive just before a display frame.
 *
 * A streamed picture that arrives just after the start of a display frame waits for the next one: 8
 * ms on average at 60 Hz. Where arrivals straddle that moment, frames are dropped and others are
 * shown twice. The clocks of server and display drift, so it keeps measuring. If the display's rate
 * does not match the game's, it requests nothing.
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

  /**
   * `requestShift` receives by how many milliseconds later the steps should come; negative values
   * mean earlier.
   */
  constructor(requestShift: (laterMs: number) => void) {
    this.#requestShift = requestShift;
  }

  /**
   * Records an observation that arrived at `at` (page clock) and whose step began at `steppedUs`
   * (server clock).
   */
  onArrival(at: number, steppedUs: number): void {
    if (this.#lastStepUs !== null) this.#stepPeriodsMs.push((steppedUs - this.#lastStepUs) / 1000);
    this.#lastStepUs = steppedUs;
    this.#unpainted.push(at);
  }

  /** Records a display frame that began at `at` and shows the newest observation. */
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

  /** Restarts the measurement when a game starts or resumes. */
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

/**
 * Returns the mean wait for the display if all observations came `later`. Those within the margin
 * wait for the next frame.
 */
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
