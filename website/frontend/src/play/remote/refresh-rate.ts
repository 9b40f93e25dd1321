import { browserPlatform, type Platform } from "../platform";

/** Enough animation frames that a median means something, few enough that nobody waits. */
const SAMPLES = 15;
/** A hidden page gets no animation frames at all. */
const MEASURE_TIMEOUT_MS = 600;

/** The screen's refresh rate: from the median gap between animation frames; null when there are none. */
export function measureRefreshRate(platform: Platform): Promise<number | null> {
  return new Promise((resolve) => {
    const times: number[] = [];
    const cancelTimeout = platform.after(MEASURE_TIMEOUT_MS, () => resolve(null));
    const sample = (at: number): void => {
      times.push(at);
      if (times.length <= SAMPLES) {
        platform.nextFrame(sample);
        return;
      }
      cancelTimeout();
      const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
      gaps.sort((a, b) => a - b);
      const median = gaps[Math.floor(gaps.length / 2)] ?? 0;
      resolve(median > 1 ? Math.round(10_000 / median) / 10 : null);
    };
    platform.nextFrame(sample);
  });
}

let cachedRate: Promise<number | null> | null = null;

/** The rate of the screen that this page is on. Asked early, it keeps no game waiting; not known, it is asked again. */
export async function getRefreshRate(): Promise<number | null> {
  cachedRate ??= measureRefreshRate(browserPlatform);
  const rate = await cachedRate;
  if (rate === null) cachedRate = null;
  return rate;
}
