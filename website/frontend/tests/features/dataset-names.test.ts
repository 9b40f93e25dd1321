import { expect, test } from "vitest";

import type { DatasetVersionItem } from "@/api/datasets";
import { describeSize, nameOf, parseVersion, writeVersion } from "@/features/exports/version-names";

const VERSION = {
  dataset_name: "breakout-people",
  number: 2,
  n_episodes: 1,
  n_players: 3,
  n_steps: 1200,
} as DatasetVersionItem;

test("version in the address is read back", () => {
  expect(parseVersion(nameOf(VERSION))).toEqual({ name: "breakout-people", number: 2 });
  expect(writeVersion({ name: "a", number: 10 })).toBe("a@10");
});

test.each([null, "", "people", "people@", "people@0", "people@1.5", "../x@1", "People@1", "a@1@2"])(
  "address %s names no version",
  (text) => {
    expect(parseVersion(text)).toBeNull();
  },
);

test("size of a version is counted in words", () => {
  expect(describeSize(VERSION)).toBe("1 episode, 3 players, 1,200 steps");
});
