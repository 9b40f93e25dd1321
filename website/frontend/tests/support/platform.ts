import type { Platform } from "@/play/platform";

interface Timer {
  at: number;
  run: () => void;
}

/** Fake clock and animation frames that a test advances. */
export class FakePlatform implements Platform {
  #now = 1000;
  #timers = new Set<Timer>();
  #frames: ((at: number) => void)[] = [];
  /** Value that `random` returns. */
  randomValue = 0;

  now = (): number => this.#now;
  random = (): number => this.randomValue;

  after = (ms: number, run: () => void): (() => void) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  nextFrame = (run: (at: number) => void): (() => void) => {
    this.#frames.push(run);
    return () => {
      this.#frames = this.#frames.filter((frame) => frame !== run);
    };
  };

  /** Advances the clock and runs due timers in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }

  /** Advances the clock without running timers, as a stalled device does. */
  stall(ms: number): void {
    this.#now += ms;
  }

  /** Runs one animation frame. Returns the number of callbacks. */
  runAnimationFrame(): number {
    const frames = this.#frames;
    this.#frames = [];
    for (const run of frames) run(this.#now);
    return frames.length;
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }
}

/** Fake of a hidden page, whose timers do not fire. */
export class SuspendedTimersPlatform extends FakePlatform {
  readonly suspended: (() => void)[] = [];
  override after = (_ms: number, run: () => void): (() => void) => {
    this.suspended.push(run);
    return () => undefined;
  };
}
