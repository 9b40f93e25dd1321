import { readdirSync } from "node:fs";

import { expect, test } from "vitest";

import { FEATURED_GAMES } from "@/features/games/featured-games";

const COVERS = new URL("../../../backend/skill_arcade/games/covers", import.meta.url);

test("featured games exist, are unique and fill rows of two, three, four and six", () => {
  const there = readdirSync(COVERS);
  expect(FEATURED_GAMES.filter((id) => !there.includes(`${id}.webp`))).toEqual([]);
  expect(new Set(FEATURED_GAMES).size).toBe(FEATURED_GAMES.length);
  expect(FEATURED_GAMES.length % 12).toBe(0);
});
