import type { Cancel, Platform } from "./platform";

const REPORT_INTERVAL_MS = 100;
/** Limit of `shown.frames` in wire/SPEC.md. */
const MAX_REPORTED_FRAMES = 600;

type SendReport = (received: number, frames: (readonly [number, number])[]) => void;

/**
 * Reports to the server about every 100 ms which frames were received, and which were painted and
 * when.
 *
 * Browsers slow timers down to 1 Hz in a hidden page, so a received frame also sends a report that
 * is due.
 */
export class PaintReporter {
  readonly #platform: Platform;
  readonly #send: SendReport;
  #frames: (readonly [number, number])[] = [];
  #received = -1;
  #reported = -1;
  #dueAt = 0;
  #timer: Cancel | null = null;

  constructor(platform: Platform, report: SendReport) {
    this.#platform = platform;
    this.#send = report;
  }

  onFrameReceived(frame: number): void {
    this.#received = frame;
    this.#schedule();
  }

  onFramePainted(frame: number, at: number): void {
    this.#frames.push([frame, at]);
    if (this.#frames.length >= MAX_REPORTED_FRAMES) this.flush();
    else this.#schedule();
  }

  /** Sends everything that has not been reported yet. */
  flush(): void {
    this.#timer?.();
    this.#timer = null;
    if (this.#received < 0) return;
    if (this.#frames.length === 0 && this.#received === this.#reported) return;
    this.#send(this.#received, this.#frames);
    this.#frames = [];
    this.#reported = this.#received;
  }

  /** Discards unreported frames; a new episode or socket starts. */
  reset(): void {
    this.#timer?.();
    this.#timer = null;
    this.#frames = [];
    this.#received = -1;
    this.#reported = -1;
  }

  #schedule(): void {
    if (this.#timer === null) {
      this.#dueAt = this.#platform.now() + REPORT_INTERVAL_MS;
      this.#timer = this.#platform.after(REPORT_INTERVAL_MS, () => this.flush());
    } else if (this.#platform.now() >= this.#dueAt) {
      this.flush();
    }
  }
}
