import { expect, test } from "vitest";

import { countStages, countStatuses } from "@/features/research/study-counts";

const count = (
  arm: string | null,
  status: string,
  stage: number,
  name: string,
  participants: number,
) => ({ arm, status, stage, stage_name: name, participants });

const COUNTS = [
  count(null, "active", 0, "consent", 2),
  count(null, "no-consent", 0, "consent", 1),
  count("b", "active", 3, "play", 4),
  count("a", "active", 3, "play", 3),
  count("a", "active", 2, "how", 1),
  count("a", "expired", 3, "play", 2),
  count("a", "complete", 6, "", 5),
];

test("participants are counted by arm and status, with those before the draw first", () => {
  expect(countStatuses(COUNTS)).toEqual({
    columns: ["active", "complete", "expired", "no-consent", "all"],
    rows: [
      ["not drawn", [2, 0, 0, 1, 3]],
      ["a", [4, 5, 2, 0, 11]],
      ["b", [4, 0, 0, 0, 4]],
    ],
  });
});

test("stages are in their order, with active participants apart from those who left", () => {
  expect(countStages(COUNTS, true)).toEqual({
    columns: ["not drawn", "a", "b"],
    rows: [
      ["consent", [2, 0, 0]],
      ["how", [0, 1, 0]],
      ["play", [0, 3, 4]],
    ],
  });
  expect(countStages(COUNTS, false)).toEqual({
    columns: ["not drawn", "a"],
    rows: [
      ["consent", [1, 0]],
      ["play", [0, 2]],
    ],
  });
});

test("study without participants has no rows", () => {
  expect(countStatuses([]).rows).toEqual([]);
  expect(countStages([], true)).toEqual({ columns: [], rows: [] });
});
