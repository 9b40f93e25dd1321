import { expect, test } from "vitest";

import { chartQueryOf, withFilter } from "@/features/research/filters";
import { extent, makeScale, makeTicks } from "@/features/research/scale";

test.each([
  ["overview", "view=overview", ""],
  ["learning", "view=learning&game=breakout&split=daytime", "split=daytime&game=breakout"],
  ["learning", "split=daytime&measure=idle_seconds", "split=daytime"],
  ["overview", "split=daytime&zone=Europe%2FBerlin", "zone=Europe%2FBerlin"],
  ["quality", "measure=idle_seconds", "measure=idle_seconds"],
  ["quality", "measure=reaction_ms", "measure=latency_p95_ms"],
  ["behaviour", "", "measure=reaction_ms"],
  ["overview", "device=toaster&certified=yes&colour=red", ""],
] as const)("query of view %s with address %s has its filters only", (view, address, query) => {
  expect(chartQueryOf(view, new URLSearchParams(address))).toBe(query);
});

test("filter at its default value leaves the address", () => {
  const address = new URLSearchParams("view=learning&split=daytime");
  expect(withFilter(address, "split", "none", "none").toString()).toBe("view=learning");
  expect(withFilter(address, "split", "device", "none").get("split")).toBe("device");
  expect(address.get("split")).toBe("daytime");
});

test.each([
  [0, 10, 5, [0, 2, 4, 6, 8, 10]],
  [-21, 21, 4, [-20, 0, 20]],
  [0, 0.12, 3, [0, 0.05, 0.1]],
  [3, 3, 5, [3]],
])("ticks from %d to %d are round numbers", (low, high, count, ticks) => {
  expect(makeTicks(low, high, count).map((tick) => Number(tick.toFixed(9)))).toEqual(ticks);
});

test("scale of a single value has no infinite position", () => {
  const scale = makeScale(extent([5]), [0, 100]);
  expect(scale(5)).toBe(0);
  expect(Number.isFinite(scale(6))).toBe(true);
});
