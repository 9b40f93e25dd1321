const WINDOW_MS = 1000;

/** Counts what happens, second by second. */
export class FrameRateCounter {
  #windowStart = -Infinity;
  #count = 0;

  /** Something happened at `at` (milliseconds). Answers the count of the second that it closed; else null. */
  add(at: number): number | null {
    const gapMs = at - this.#windowStart;
    if (gapMs < WINDOW_MS) {
      this.#count++;
      return null;
    }
    // After a pause a second begins anew.
    const rate = gapMs < 2 * WINDOW_MS ? Math.round(((this.#count + 1) * WINDOW_MS) / gapMs) : null;
    this.#windowStart = at;
    this.#count = 0;
    return rate;
  }
}
