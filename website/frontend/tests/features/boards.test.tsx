// @vitest-environment happy-dom
// Texts of leaderboards: ranks, settings, the result to share, the countdown; and one try of a day.
import { describe, expect, test, vi } from "vitest";

import type { DailyChallenge } from "@/api/boards";
import { formatLeft } from "@/features/boards/countdown";
import { describeSettings, formatRank } from "@/features/boards/settings-text";
import { makeShareText } from "@/features/boards/share-text";
import { handlePrimaryAction } from "@/features/play/use-hotkeys";
import { writeOptions } from "@/lib/write-options";
import type { Engine } from "@/play/engine";

const own = {
  rank: 3,
  name: "Ada",
  score: 12,
  time_reached: "2026-11-28T12:00:00Z",
  episode_id: "0199",
  is_own: true,
};
const challenge: DailyChallenge = {
  day: "2026-11-28",
  game_id: "breakout",
  game_name: "Breakout",
  time_ends: "2026-11-29T00:00:00Z",
  sticky_actions: true,
  commitment: "c0ffee",
  next_commitment: "beef",
  previous: null,
  has_tried: true,
  own_episode: null,
  n_players: 20,
  own,
};

test.each([
  [1, "1st"],
  [2, "2nd"],
  [3, "3rd"],
  [4, "4th"],
  [11, "11th"],
  [22, "22nd"],
  [1113, "1,113th"],
])("rank %i is written %s", (rank, text) => {
  expect(formatRank(rank)).toBe(text);
});

test("settings are named as players know them", () => {
  expect(describeSettings({})).toBe("Default settings");
  expect(describeSettings({ mode: "4", speed: "0.5" })).toBe("Mode 4, Speed 0.5×");
  const size = {
    name: "size",
    label: "Size",
    values: ["5x5", "8x8"],
    labels: ["5 × 5", "8 × 8"],
    default: "5x5",
  };
  expect(describeSettings({ size: "8x8" }, { options: [size] })).toBe("Size 8 × 8");
  expect(describeSettings({}, { options: [size] })).toBe("Size 5 × 5");
  expect(describeSettings({}, { options: [] })).toBe("Default settings");
  expect(writeOptions({ speed: "0.5", difficulty: "1" })).toBe("difficulty=1&speed=0.5");
});

test("time left is written in the largest two units", () => {
  expect([7_380_000, 3_599_000, 59_000, 0, -5].map(formatLeft)).toEqual([
    "2 h 3 min",
    "59 min",
    "59 s",
    "0 s",
    "0 s",
  ]);
});

describe("text to share", () => {
  test("has game, score and place, and no word about the seed", () => {
    const text = makeShareText(challenge, "https://arcade.example/daily");
    expect(text.split("\n")).toEqual([
      "Skill Arcade daily 2026-11-28: Breakout",
      "12 points, 3rd of 20",
      "🟧⬜⬜⬜⬜",
      "https://arcade.example/daily",
    ]);
    expect(text).not.toContain(challenge.commitment);
  });

  test("without a place has only the game", () => {
    expect(makeShareText({ ...challenge, own: null }, "A")).toContain("I had my try.");
  });
});

test.each([
  [true, 0],
  [false, 1],
])("enter after the end of a single episode (%s) starts %i games", (isSingleEpisode, starts) => {
  const start = vi.fn();
  const engine = { getSnapshot: () => ({ phase: { kind: "ended" } }), start } as unknown as Engine;
  handlePrimaryAction(engine, 10_000, { since: 0, isSingleEpisode });
  expect(start).toHaveBeenCalledTimes(starts);
});
