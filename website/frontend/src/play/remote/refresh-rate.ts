import { browserPlatform, type Platform } from "../platform";

/** Number of animation frames for a stable median. */
const SAMPLES = 15;
/** Timeout, because a hidden page gets no animation frames. */
const MEASURE_TIMEOUT_MS = 600;

/**
 * Measures the display's refresh rate from the median gap between animation frames. Returns null if
 * there are none.
 */
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

/**
 * Returns the display's refresh rate, measured once. A failed measurement is repeated at the next
 * call.
 */
export async function getRefreshRate(): Promise<number | null> {
  cachedRate ??= measureRefreshRate(browserPlatform);
  const rate = await cachedRate;
  if (rate === null) cachedRate = null;
  return rate;
}
