// Observer in the page: reads from the pixels which observation is on the canvas at each animation
// frame.
import type { Page } from "playwright-core";

/** `frame` is -1 if the observer was late and the observation is unknown. */
export interface CanvasSample {
  /** Start of the animation frame. */
  at: number;
  /** End of the animation frame's work. */
  done: number;
  frame: number;
}

export interface Observations {
  samples: CanvasSample[];
  /** event.timeStamp of each press of the space bar. */
  presses: number[];
}

/** Starts to observe a game of tests/support/self_describing_env.py. */
export async function startObserving(page: Page): Promise<void> {
  await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-testid="screen"]');
    const surface = canvas?.getContext("2d");
    if (!surface) throw new Error("no surface");
    const observations: Observations = { samples: [], presses: [] };
    Object.assign(window, { observations: observations });
    const read = (): number => {
      const { data } = surface.getImageData(0, 8, 96, 1);
      let frame = 0;
      for (let bit = 0; bit < 24; bit++) {
        if ((data[4 * (4 * bit + 2)] ?? 0) > 127) frame |= 1 << bit;
      }
      return frame;
    };
    // The canvas is read after the work of an animation frame and before the next one.
    const after = new MessageChannel();
    let newest = 0;
    after.port1.onmessage = ({ data: at }: MessageEvent<number>) => {
      observations.samples.push({
        at,
        done: performance.now(),
        frame: at === newest ? read() : -1,
      });
    };
    const sample = (time: number): void => {
      newest = time;
      after.port2.postMessage(time);
      requestAnimationFrame(sample);
    };
    requestAnimationFrame(sample);
    const recordPress = (event: KeyboardEvent): void => {
      if (event.code === "Space" && !event.repeat) observations.presses.push(event.timeStamp);
    };
    window.addEventListener("keydown", recordPress, { capture: true });
  });
}

export async function collectObservations(page: Page): Promise<Observations> {
  return page.evaluate(() => (window as unknown as { observations: Observations }).observations);
}

/**
 * Returns the first time of each observation in microseconds, if the one before was observed too.
 */
export function firstSampleTimes(samples: readonly CanvasSample[]): Map<number, number> {
  const seen = new Map<number, number>();
  samples.forEach(({ at, frame }, index) => {
    const before = samples[index - 1]?.frame ?? -1;
    if (frame >= 0 && before >= 0 && frame !== before) seen.set(frame, Math.round(at * 1000));
  });
  return seen;
}

/**
 * Returns the observations that may have been on the canvas at this time. The exact paint time within
 * an animation frame is unknown, so there are two during one. Returns null if the observer was late.
 */
export function framesAt(samples: readonly CanvasSample[], moment: number): number[] | null {
  const begun = samples.findLastIndex(({ at }) => at <= moment);
  const done = samples.findLastIndex((glance) => glance.done <= moment);
  if (done < 0 || begun === samples.length - 1) return null;
  const frames = samples.slice(done, begun + 1).map(({ frame }) => frame);
  return frames.includes(-1) ? null : frames;
}
