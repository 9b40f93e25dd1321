import { readdirSync } from "node:fs";

import { expect, test } from "vitest";

import { FEATURED_GAMES } from "@/features/games/featured-games";

const MANIFESTS = new URL("../../../backend/skill_arcade/games/manifests", import.meta.url);

test("featured games exist, are unique and fill rows of two, three, four and six", () => {
  const there = readdirSync(MANIFESTS);
  expect(FEATURED_GAMES.filter((id) => !there.includes(`${id}.yaml`))).toEqual([]);
  expect(new Set(FEATURED_GAMES).size).toBe(FEATURED_GAMES.length);
  expect(FEATURED_GAMES.length % 12).toBe(0);
});
