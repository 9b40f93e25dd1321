import { i18n } from "@/lib/i18n";
/** Linear scale of a plot, from values to pixels. */
export interface Scale {
  (value: number): number;
  ticks: readonly number[];
}

const STEPS = [1, 2, 5, 10];

/** Returns round numbers from `low` to `high`, about `count` of them. */
export function makeTicks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / count));
  const step = power * (STEPS.find((one) => one * power >= span / count) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** Returns a scale from [low, high] to [from, to]. A range without length is made longer. */
export function makeScale(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
  count = 5,
): Scale {
  const top = high > low ? high : low + 1;
  const scale = (value: number) => from + ((value - low) / (top - low)) * (to - from);
  return Object.assign(scale, { ticks: makeTicks(low, top, count) });
}

/** Returns the least and the greatest of the values, or [0, 1] without any. */
export function extent(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

const COMPACT = { notation: "compact", maximumFractionDigits: 1 } as const;
const PLAIN = { maximumSignificantDigits: 4 } as const;

/** 12345 -> "12.3K", 0.0512 -> "0.0512" */
export const formatNumber = (value: number): string =>
  i18n.number(value, Math.abs(value) >= 10_000 ? COMPACT : PLAIN);
