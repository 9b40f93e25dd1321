import type { Cancel, Platform } from "./platform";

const REPORT_EVERY_MS = 100;
/** The server takes no longer list; SPEC's `shown.frames`. */
const MOST_FRAMES = 600;

type Report = (received: number, frames: (readonly [number, number])[]) => void;

/**
 * Tells the server about every 100 ms which frames were painted and when, and how far they have arrived.
 *
 * A timer alone would be slowed to one a second in a hidden page, so arrivals push a due report out as well.
 */
export class ShownReporter {
  readonly #platform: Platform;
  readonly #report: Report;
  #frames: (readonly [number, number])[] = [];
  #received = -1;
  #reported = -1;
  #due = 0;
  #timer: Cancel | null = null;

  constructor(platform: Platform, report: Report) {
    this.#platform = platform;
    this.#report = report;
  }

  arrived(frame: number): void {
    this.#received = frame;
    this.#arm();
  }

  painted(frame: number, at: number): void {
    this.#frames.push([frame, at]);
    if (this.#frames.length >= MOST_FRAMES) this.flush();
    else this.#arm();
  }

  /** Report what has not been reported. */
  flush(): void {
    this.#timer?.();
    this.#timer = null;
    if (this.#received < 0) return;
    if (this.#frames.length === 0 && this.#received === this.#reported) return;
    this.#report(this.#received, this.#frames);
    this.#frames = [];
    this.#reported = this.#received;
  }

  /** A new episode or socket: what was not reported has no reader any more. */
  reset(): void {
    this.#timer?.();
    this.#timer = null;
    this.#frames = [];
    this.#received = -1;
    this.#reported = -1;
  }

  #arm(): void {
    if (this.#timer === null) {
      this.#due = this.#platform.now() + REPORT_EVERY_MS;
      this.#timer = this.#platform.after(REPORT_EVERY_MS, () => this.flush());
    } else if (this.#platform.now() >= this.#due) {
      this.flush();
    }
  }
}
