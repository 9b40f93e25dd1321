// A witness in the page: which observation stood on the canvas at each animation frame, read from its pixels.
import type { Page } from "playwright-core";

/** `frame` -1: the witness was late and cannot say. */
export interface Glance {
  /** The animation frame's time: it begins. */
  at: number;
  /** All of it was done by now. */
  done: number;
  frame: number;
}

export interface Testimony {
  glances: Glance[];
  /** event.timeStamp of each press of the space bar. */
  presses: number[];
}

/** Begins to watch a game that is tests/support/self_describing_env.py. */
export async function beginWatching(page: Page): Promise<void> {
  await page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-testid="screen"]');
    const surface = canvas?.getContext("2d");
    if (!surface) throw new Error("no surface");
    const testimony: Testimony = { glances: [], presses: [] };
    Object.assign(window, { testimony });
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
      testimony.glances.push({ at, done: performance.now(), frame: at === newest ? read() : -1 });
    };
    const look = (time: number): void => {
      newest = time;
      after.port2.postMessage(time);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    const note = (event: KeyboardEvent): void => {
      if (event.code === "Space" && !event.repeat) testimony.presses.push(event.timeStamp);
    };
    window.addEventListener("keydown", note, { capture: true });
  });
}

export async function hear(page: Page): Promise<Testimony> {
  return page.evaluate(() => (window as unknown as { testimony: Testimony }).testimony);
}

/** First moment of each observation, where the witness saw the one before too: microseconds. */
export function firstSeen(glances: readonly Glance[]): Map<number, number> {
  const seen = new Map<number, number>();
  glances.forEach(({ at, frame }, index) => {
    const before = glances[index - 1]?.frame ?? -1;
    if (frame >= 0 && before >= 0 && frame !== before) seen.set(frame, Math.round(at * 1000));
  });
  return seen;
}

/**
 * What may have been on the canvas at this moment: a picture is drawn at some time between its animation frame's begin
 * and end, so within one there are two answers. null when the witness cannot say.
 */
export function framesAt(glances: readonly Glance[], moment: number): number[] | null {
  const begun = glances.findLastIndex(({ at }) => at <= moment);
  const done = glances.findLastIndex((glance) => glance.done <= moment);
  if (done < 0 || begun === glances.length - 1) return null;
  const frames = glances.slice(done, begun + 1).map(({ frame }) => frame);
  return frames.includes(-1) ? null : frames;
}
