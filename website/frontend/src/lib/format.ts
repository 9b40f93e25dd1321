import { i18n } from "./i18n";

/** Formats of a language are made once. */
const relativeFormats = new Map<string, Intl.RelativeTimeFormat>();

function formatRelative(value: number, unit: Intl.RelativeTimeFormatUnit): string {
  const known =
    relativeFormats.get(i18n.locale) ??
    new Intl.RelativeTimeFormat(i18n.locale, { numeric: "auto", style: "short" });
  relativeFormats.set(i18n.locale, known);
  return known.format(value, unit);
}

const formatNumber = (value: number): string => i18n.number(value, { maximumFractionDigits: 2 });

/** A number as in JSON, which has no NaN and no infinity: those are strings. */
type JsonNumber = number | "NaN" | "Infinity" | "-Infinity";

/** 1234.5 -> "1,234.5", NaN -> "not a number", Infinity -> "∞", null (unknown) -> "–" */
export function formatScore(value: JsonNumber | null): string {
  if (value === null) return "–";
  const number = Number(value);
  return Number.isNaN(number) ? i18n._("not a number") : formatNumber(number);
}

/** 125 -> "2:05" */
export function formatClock(seconds: number): string {
  const paddedSeconds = String(seconds % 60).padStart(2, "0");
  return `${Math.floor(seconds / 60)}:${paddedSeconds}`;
}

/** 45 -> "45 s", 754 -> "13 min", 12,240 -> "3 h 24 min" */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${String(Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${String(minutes)} min`;
  return `${formatNumber(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`;
}

const RELATIVE_UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["minute", 60],
  ["hour", 3600],
  ["day", 86_400],
];

/** "5 min. ago" within a week, otherwise the date. */
export function formatTimeAgo(iso: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(iso)) / 1000;
  if (seconds < 60) return i18n._("just now");
  if (seconds > 7 * 86_400) return i18n.date(iso, { dateStyle: "medium", timeStyle: "short" });
  const [unit, length] = RELATIVE_UNITS.findLast(([, step]) => seconds >= step) ?? ["minute", 60];
  return formatRelative(-Math.floor(seconds / length), unit);
}

const COUNTS = {
  death: /*i18n*/ "{count, plural, one {# death} other {# deaths}}",
  episode: /*i18n*/ "{count, plural, one {# episode} other {# episodes}}",
  frame: /*i18n*/ "{count, plural, one {# frame} other {# frames}}",
  player: /*i18n*/ "{count, plural, one {# player} other {# players}}",
  round: /*i18n*/ "{count, plural, one {# round} other {# rounds}}",
  step: /*i18n*/ "{count, plural, one {# step} other {# steps}}",
} as const;

/** 1 -> "1 step", 1200 -> "1,200 steps" */
export const formatCount = (count: number, word: keyof typeof COUNTS): string =>
  i18n._(COUNTS[word], { count });

const UNITS = [/*i18n*/ "bytes", "kB", "MB", "GB", "TB"] as const;

/** 1234 -> "1.2 kB" */
export function formatBytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), UNITS.length - 1);
  const value = count / 1000 ** power;
  return `${i18n.number(value, { maximumFractionDigits: power === 0 ? 0 : 1 })} ${power === 0 ? i18n._(UNITS[0]) : (UNITS[power] ?? "")}`;
}
