import { readdirSync } from "node:fs";

import { expect, test } from "vitest";

import { FRONT_ROW } from "@/features/games/front-row";

const MANIFESTS = new URL("../../../backend/skill_arcade/games/manifests", import.meta.url);

test("the front row is of games that there are, each once, in whole rows of two, three, four and six", () => {
  const there = readdirSync(MANIFESTS);
  expect(FRONT_ROW.filter((id) => !there.includes(`${id}.yaml`))).toEqual([]);
  expect(new Set(FRONT_ROW).size).toBe(FRONT_ROW.length);
  expect(FRONT_ROW.length % 12).toBe(0);
});
