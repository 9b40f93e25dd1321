import { expect, test } from "vitest";

import { formatBytes, formatCount, formatClock, formatScore, formatTimeAgo } from "@/lib/format";
import { usKeyLabel } from "@/lib/key-label";

test("duration in seconds is formatted as minutes and seconds", () => {
  expect([0, 65, 600].map(formatClock)).toEqual(["0:00", "1:05", "10:00"]);
});

test("count of one is formatted as singular, others as plural", () => {
  expect([1, 0, 1200].map((count) => formatCount(count, "step"))).toEqual([
    "1 step",
    "0 steps",
    "1,200 steps",
  ]);
});

test("time in the past is formatted relative to now", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  const at = (iso: string) => formatTimeAgo(iso, now);
  expect(at("2026-11-22T11:59:30Z")).toBe("just now");
  expect(at("2026-11-22T11:30:00Z")).toBe("30 min. ago");
  expect(at("2026-11-22T09:00:00Z")).toBe("3 hr. ago");
  expect(at("2026-11-21T11:00:00Z")).toBe("yesterday");
  expect(at("2026-10-01T11:00:00Z")).toMatch(/Oct 1, 2026/);
});

test("key code is formatted as the label of a US keyboard", () => {
  expect(["ArrowLeft", "KeyA", "Digit1", "Space", "F5"].map(usKeyLabel)).toEqual([
    "←",
    "A",
    "1",
    "Space",
    "F5",
  ]);
});

test("size in bytes is formatted in the largest suitable unit", () => {
  expect([0, 999, 1000, 1_234_567, 5e12].map(formatBytes)).toEqual([
    "0 bytes",
    "999 bytes",
    "1 kB",
    "1.2 MB",
    "5 TB",
  ]);
});

test("score that is not finite or unknown is formatted as such", () => {
  expect([1234.5, NaN, Infinity, -Infinity, null].map(formatScore)).toEqual([
    "1,234.5",
    "not a number",
    "∞",
    "-∞",
    "–",
  ]);
});
