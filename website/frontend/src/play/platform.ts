/** Calls something off. Calling it twice does no harm. */
export type Cancel = () => void;

/** What the engine needs of the browser; tests bring their own and turn its hands. */
export interface Platform {
  /** performance.now(), milliseconds. */
  now: () => number;
  after: (ms: number, run: () => void) => Cancel;
  /** `run` gets the animation frame's time, on the clock of `now`. */
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
