// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";

import type { Episode, Game } from "@/api/client";
import { bestScores } from "@/api/queries";
import { findGames, splitFeatured, tagsByFrequency } from "@/features/games/find-games";
import { touchLayoutFor } from "@/features/play/touch-layout";

function game(id: string, name: string, tags: string[] = [], controls: string[] = ["fire"]): Game {
  return {
    id,
    name,
    summary: `What ${name} is about.`,
    pace: { kind: "turn-based" },
    controls: controls.map((control) => ({ name: control, label: control, keys: [] })),
    actions: [],
    options: [],
    steer: null,
    show: { score: true, lives: null, pixel_aspect: 1, smooth: false },
    tags,
    cover: null,
    preview: null,
  };
}

const games = [
  game("pong", "Pong", ["atari", "sport"]),
  game("breakout", "Breakout", ["atari", "paddle"]),
  game("hanoi", "Tower of Hanoi", ["puzzle"]),
];
const found = (words: string, tag: string | null = null) =>
  findGames(games, words, tag).map(({ id }) => id);

describe("finding a game", () => {
  test("without words are all of them by name", () => {
    expect(found("")).toEqual(["breakout", "pong", "hanoi"]);
  });

  test("every word counts, in name, summary and tags", () => {
    expect(found("atari PONG")).toEqual(["pong"]);
    expect(found("atari hanoi")).toEqual([]);
  });

  test("names that begin with the word come first", () => {
    expect(found("p")).toEqual(["pong", "breakout", "hanoi"]);
  });

  test("a tag narrows it down", () => {
    expect(found("", "puzzle")).toEqual(["hanoi"]);
  });

  test("the most frequent tag is offered first", () => {
    expect(tagsByFrequency(games)).toEqual(["atari", "paddle", "puzzle", "sport"]);
  });
});

describe("the front row", () => {
  test("comes in its own order, the others in theirs, and none twice", () => {
    const ids = (some: Game[]) => some.map(({ id }) => id);
    const { featured, others } = splitFeatured([
      game("acrobot", "Acrobot"),
      game("breakout", "Breakout"),
      game("hanoi", "My Hanoi"),
      game("ms-pacman", "Ms. Pac-Man"),
    ]);
    expect(ids(featured)).toEqual(["ms-pacman", "breakout"]);
    expect(ids(others)).toEqual(["acrobot", "hanoi"]);
  });
});

describe("controls under thumbs", () => {
  test("directions lie on the pad, the rest on buttons", () => {
    const deck = touchLayoutFor(game("a", "A", [], ["left", "right", "fire"]));
    expect(deck.pad).toEqual({ left: "left", right: "right" });
    expect(deck.buttons.map(({ name }) => name)).toEqual(["fire"]);
  });

  test("a single direction is no pad", () => {
    const deck = touchLayoutFor(game("a", "A", [], ["up", "pole-1"]));
    expect(deck.pad).toBeNull();
    expect(deck.buttons).toHaveLength(2);
  });
});

test("the best score of each game is its highest", () => {
  const played = (game_id: string, score: number) =>
    ({ game_id, score, certificate: "certified", status: "lost", options: {} }) as Episode;
  const left = { ...played("a", 9), status: "incomplete" } as Episode;
  const easy = { ...played("a", 9), options: { difficulty: "0" } };
  const best = bestScores([played("a", -3), played("b", 2), played("a", -1), left, easy]);
  expect([...best]).toEqual([
    ["a", -1],
    ["b", 2],
  ]);
});
