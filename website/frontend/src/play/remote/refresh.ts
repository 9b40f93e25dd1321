import { browserPlatform, type Platform } from "../platform";

/** Enough animation frames that a median means something, few enough that nobody waits. */
const SAMPLES = 15;
/** A hidden page gets no animation frames at all. */
const PATIENCE_MS = 600;

/** The screen's refresh rate: from the median gap between animation frames; null when there are none. */
export function measureRefresh(platform: Platform): Promise<number | null> {
  return new Promise((resolve) => {
    const times: number[] = [];
    const giveUp = platform.after(PATIENCE_MS, () => resolve(null));
    const sample = (at: number): void => {
      times.push(at);
      if (times.length <= SAMPLES) {
        platform.nextFrame(sample);
        return;
      }
      giveUp();
      const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
      gaps.sort((a, b) => a - b);
      const median = gaps[Math.floor(gaps.length / 2)] ?? 0;
      resolve(median > 1 ? Math.round(10_000 / median) / 10 : null);
    };
    platform.nextFrame(sample);
  });
}

let known: Promise<number | null> | null = null;

/** The rate of the screen that this page is on. Asked early, it keeps no game waiting; not known, it is asked again. */
export async function screenRate(): Promise<number | null> {
  known ??= measureRefresh(browserPlatform);
  const rate = await known;
  if (rate === null) known = null;
  return rate;
}
