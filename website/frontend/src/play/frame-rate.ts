const WINDOW_MS = 1000;

/** Counts painted frames per second. */
export class FrameRateCounter {
  #windowStart = -Infinity;
  #count = 0;

  /**
   * Counts an event at `at` (milliseconds). Returns the rate of the second that it completes,
   * otherwise null.
   */
  add(at: number): number | null {
    const gapMs = at - this.#windowStart;
    if (gapMs < WINDOW_MS) {
      this.#count++;
      return null;
    }
    // A gap of two seconds or more is a pause and gives no rate.
    const rate = gapMs < 2 * WINDOW_MS ? Math.round(((this.#count + 1) * WINDOW_MS) / gapMs) : null;
    this.#windowStart = at;
    this.#count = 0;
    return rate;
  }
}
