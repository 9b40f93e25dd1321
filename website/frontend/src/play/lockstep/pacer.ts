/** Relative difference up to which the display's rate counts as a multiple of the game's rate. */
const RATE_TOLERANCE = 0.01;
/** Number of gaps between animation frames from which the display's period is computed. */
const GAP_WINDOW = 31;
/**
 * How long before a display frame a step begins, in milliseconds. The step must be drawn by then.
 */
const MARGIN_MS = { initial: 6, min: 4, max: 12, increase: 1.5, decrease: 0.01 } as const;

/**
 * Schedules the steps of a real-time game.
 *
 * On a display whose rate is a multiple of the game's rate (60 or 120 Hz for 60 steps per second),
 * each step runs just before a display frame, so that the picture contains the newest input and all
 * pictures last equally long. On other displays the game's own rate is used. Late steps are
 * skipped, not replayed: a player could not react to them.
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

  /** Time of the next step; null while stopped. */
  get dueAt(): number | null {
    return this.#dueAt;
  }

  /** Milliseconds between steps: the display's period if it matches, otherwise the game's. */
  get periodMs(): number {
    return this.#matchDisplay()?.periodMs ?? this.#gamePeriodMs;
  }

  start(now: number): void {
    this.#dueAt = this.#align(now + this.#gamePeriodMs);
  }

  stop(): void {
    this.#dueAt = null;
  }

  /** Starts a step and schedules the next one. Returns by how much this one is late. */
  onStep(now: number): number {
    if (this.#dueAt === null) throw new Error("The pacer is stopped.");
    const late = now - this.#dueAt;
    const periodMs = this.periodMs;
    const next = late >= periodMs ? now + periodMs : this.#dueAt + periodMs;
    this.#dueAt = this.#align(next);
    return late;
  }

  /** A display frame began at `at`. `onTime` tells whether the step meant for it had arrived. */
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

  /**
   * Returns the display's period (a late frame counts as several) and the game's period on it, or
   * null if they do not match.
   */
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

  /** Moves `due` to just before the nearest display frame. */
  #align(due: number): number {
    const match = this.#matchDisplay();
    if (match === null || this.#frameAt === null) return due;
    const frames = Math.round((due + this.#marginMs - this.#frameAt) / match.display);
    return this.#frameAt + frames * match.display - this.#marginMs;
  }
}
