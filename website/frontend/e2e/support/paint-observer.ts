// A witness in the page: which observation stood on the canvas at each animation frame, read from its pixels.
import type { Page } from "playwright-core";

/** `frame` -1: the witness was late and cannot say. */
export interface CanvasSample {
  /** The animation frame's time: it begins. */
  at: number;
  /** All of it was done by now. */
  done: number;
  frame: number;
}

export interface Observations {
  samples: CanvasSample[];
  /** event.timeStamp of each press of the space bar. */
  presses: number[];
}

/** Begins to watch a game that is tests/support/self_describing_env.py. */
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
    // The canvas is read after all that is done in an animation frame, and before the next one.
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
    const note = (event: KeyboardEvent): void => {
      if (event.code === "Space" && !event.repeat) observations.presses.push(event.timeStamp);
    };
    window.addEventListener("keydown", note, { capture: true });
  });
}

export async function collectObservations(page: Page): Promise<Observations> {
  return page.evaluate(() => (window as unknown as { observations: Observations }).observations);
}

/** First moment of each observation, where the witness saw the one before too: microseconds. */
export function firstSampleTimes(samples: readonly CanvasSample[]): Map<number, number> {
  const seen = new Map<number, number>();
  samples.forEach(({ at, frame }, index) => {
    const before = samples[index - 1]?.frame ?? -1;
    if (frame >= 0 && before >= 0 && frame !== before) seen.set(frame, Math.round(at * 1000));
  });
  return seen;
}

/**
 * What may have been on the canvas at this moment: a picture is drawn at some time between its animation frame's begin
 * and end, so within one there are two answers. null when the witness cannot say.
 */
export function framesAt(samples: readonly CanvasSample[], moment: number): number[] | null {
  const begun = samples.findLastIndex(({ at }) => at <= moment);
  const done = samples.findLastIndex((glance) => glance.done <= moment);
  if (done < 0 || begun === samples.length - 1) return null;
  const frames = samples.slice(done, begun + 1).map(({ frame }) => frame);
  return frames.includes(-1) ? null : frames;
}
