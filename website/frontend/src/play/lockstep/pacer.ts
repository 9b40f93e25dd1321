/** A display within this share of a multiple of the game's rate sets the pace: every picture then lasts as long. */
const TOLERANCE = 0.01;
/** Gaps between animation frames that the display's period is taken from. */
const GAPS = 31;
/** How long before the display's next frame a step begins, milliseconds: it must be drawn by then. */
const MARGIN = { first: 6, least: 4, most: 12, up: 1.5, down: 0.01 } as const;

/**
 * When the next step is due, in milliseconds of one clock.
 *
 * A game of 60 steps a second on a display of 60 or 120 Hz steps just before a frame of the display, so that
 * the newest input is in the picture and each picture is shown equally long. On other displays it keeps its own
 * time. Steps that were missed are not made up for: a person is playing.
 */
export class Pacer {
  readonly #period: number;
  #gaps: number[] = [];
  #frame: number | null = null;
  #due: number | null = null;
  #margin: number = MARGIN.first;

  constructor(hz: number) {
    this.#period = 1000 / hz;
  }

  /** When the next step is due; null: stopped. */
  get due(): number | null {
    return this.#due;
  }

  /** Milliseconds between steps: the display's, when it sets the pace. */
  get period(): number {
    return this.#lock()?.period ?? this.#period;
  }

  start(now: number): void {
    this.#due = this.#align(now + this.#period);
  }

  stop(): void {
    this.#due = null;
  }

  /** A step begins now: sets when the next is due, and says how late this one is. */
  stepped(now: number): number {
    if (this.#due === null) throw new Error("The pacer is stopped.");
    const late = now - this.#due;
    const period = this.period;
    const next = late >= period ? now + period : this.#due + period;
    this.#due = this.#align(next);
    return late;
  }

  /** The display began a frame at `at`. `fresh`: the step that was meant for it had arrived. */
  displayed(at: number, fresh: boolean): void {
    const gap = this.#frame === null ? 0 : at - this.#frame;
    this.#frame = at;
    if (gap > 0) {
      this.#gaps.push(gap);
      if (this.#gaps.length > GAPS) this.#gaps.shift();
    }
    this.#margin += fresh ? -MARGIN.down : MARGIN.up;
    this.#margin = Math.min(MARGIN.most, Math.max(MARGIN.least, this.#margin));
  }

  /** The display's own period (a late frame counts as several) and the game's on it; null: they do not fit. */
  #lock(): { display: number; period: number } | null {
    if (this.#gaps.length < GAPS) return null;
    const sorted = [...this.#gaps].sort((a, b) => a - b);
    const median = sorted[GAPS >> 1] ?? 0;
    const regular = sorted.filter((gap) => Math.abs(gap - median) < 0.2 * median);
    const display = regular.reduce((sum, gap) => sum + gap, 0) / regular.length;
    const frames = Math.round(this.#period / display);
    const period = frames * display;
    if (frames < 1 || Math.abs(period / this.#period - 1) > TOLERANCE) return null;
    return { display, period };
  }

  /** Move `due` to just before the display's frame that is nearest to it. */
  #align(due: number): number {
    const lock = this.#lock();
    if (lock === null || this.#frame === null) return due;
    const frames = Math.round((due + this.#margin - this.#frame) / lock.display);
    return this.#frame + frames * lock.display - this.#margin;
  }
}
