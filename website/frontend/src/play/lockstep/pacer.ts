/** A display within this share of a multiple of the game's rate sets the pace: every picture then lasts as long. */
const RATE_TOLERANCE = 0.01;
/** Gaps between animation frames that the display's period is taken from. */
const GAP_WINDOW = 31;
/** How long before the display's next frame a step begins, milliseconds: it must be drawn by then. */
const MARGIN_MS = { initial: 6, min: 4, max: 12, increase: 1.5, decrease: 0.01 } as const;

/**
 * When the next step is due, in milliseconds of one clock.
 *
 * A game of 60 steps a second on a display of 60 or 120 Hz steps just before a frame of the display, so that
 * the newest input is in the picture and each picture is shown equally long. On other displays it keeps its own
 * time. Steps that were missed are not made up for: a person is playing.
 */
export class Pacer {
  readonly #gamePeriodMs: number;
  #gaps: number[] = [];
  #frameAt: number | null = null;
  #dueAt: number | null = null;
  #marginMs: number = MARGIN_MS.initial;

  constructor(hz: number) {
    this.#gamePeriodMs = 1000 / hz;
  }

  /** When the next step is due; null: stopped. */
  get dueAt(): number | null {
    return this.#dueAt;
  }

  /** Milliseconds between steps: the display's, when it sets the pace. */
  get periodMs(): number {
    return this.#matchDisplay()?.periodMs ?? this.#gamePeriodMs;
  }

  start(now: number): void {
    this.#dueAt = this.#align(now + this.#gamePeriodMs);
  }

  stop(): void {
    this.#dueAt = null;
  }

  /** A step begins now: sets when the next is due, and says how late this one is. */
  onStep(now: number): number {
    if (this.#dueAt === null) throw new Error("The pacer is stopped.");
    const late = now - this.#dueAt;
    const periodMs = this.periodMs;
    const next = late >= periodMs ? now + periodMs : this.#dueAt + periodMs;
    this.#dueAt = this.#align(next);
    return late;
  }

  /** The display began a frame at `at`. `fresh`: the step that was meant for it had arrived. */
  onDisplayFrame(at: number, onTime: boolean): void {
    const gap = this.#frameAt === null ? 0 : at - this.#frameAt;
    this.#frameAt = at;
    if (gap > 0) {
      this.#gaps.push(gap);
      if (this.#gaps.length > GAP_WINDOW) this.#gaps.shift();
    }
    this.#marginMs += onTime ? -MARGIN_MS.decrease : MARGIN_MS.increase;
    this.#marginMs = Math.min(MARGIN_MS.max, Math.max(MARGIN_MS.min, this.#marginMs));
  }

  /** The display's own period (a late frame counts as several) and the game's on it; null: they do not fit. */
  #matchDisplay(): { display: number; periodMs: number } | null {
    if (this.#gaps.length < GAP_WINDOW) return null;
    const sorted = [...this.#gaps].sort((a, b) => a - b);
    const median = sorted[GAP_WINDOW >> 1] ?? 0;
    const regular = sorted.filter((gap) => Math.abs(gap - median) < 0.2 * median);
    const display = regular.reduce((sum, gap) => sum + gap, 0) / regular.length;
    const frames = Math.round(this.#gamePeriodMs / display);
    const periodMs = frames * display;
    if (frames < 1 || Math.abs(periodMs / this.#gamePeriodMs - 1) > RATE_TOLERANCE) return null;
    return { display, periodMs };
  }

  /** Move `due` to just before the display's frame that is nearest to it. */
  #align(due: number): number {
    const match = this.#matchDisplay();
    if (match === null || this.#frameAt === null) return due;
    const frames = Math.round((due + this.#marginMs - this.#frameAt) / match.display);
    return this.#frameAt + frames * match.display - this.#marginMs;
  }
}
