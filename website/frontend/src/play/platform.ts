/** Cancels a timer or subscription. Idempotent. */
export type Cancel = () => void;

/** Clock, timers and animation frames of the browser. Tests use a fake. */
export interface Platform {
  /** Returns performance.now() in milliseconds. */
  now: () => number;
  after: (ms: number, run: () => void) => Cancel;
  /** `run` receives the time of the animation frame on the clock of `now`. */
  nextFrame: (run: (at: number) => void) => Cancel;
  random: () => number;
}

export const browserPlatform: Platform = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  nextFrame: (run) => {
    const request = requestAnimationFrame(run);
    return () => cancelAnimationFrame(request);
  },
  random: () => Math.random(),
};
