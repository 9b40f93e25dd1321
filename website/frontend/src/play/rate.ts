const SECOND_MS = 1000;

/** Counts what happens, second by second. */
export class Rate {
  #since = -Infinity;
  #count = 0;

  /** Something happened at `at` (milliseconds). Answers the count of the second that it closed; else null. */
  add(at: number): number | null {
    const gap = at - this.#since;
    if (gap < SECOND_MS) {
      this.#count++;
      return null;
    }
    // After a pause a second begins anew.
    const rate = gap < 2 * SECOND_MS ? Math.round(((this.#count + 1) * SECOND_MS) / gap) : null;
    this.#since = at;
    this.#count = 0;
    return rate;
  }
}
