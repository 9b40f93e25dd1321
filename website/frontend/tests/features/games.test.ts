// @vitest-environment happy-dom
import { describe, expect, test } from "vitest";

import type { Episode, Game } from "@/api/client";
import { bestScores } from "@/api/queries";
import { findGames, splitFeatured, tagsByFrequency } from "@/features/games/find-games";
import { validOptions } from "@/features/play/options";
import { touchLayoutFor } from "@/features/play/touch-layout";
import { describeOptions } from "@/lib/describe-options";
import { optionsOfId, storedFor } from "@/lib/game-ids";

function game(id: string, name: string, tags: string[] = [], controls: string[] = ["fire"]): Game {
  return {
    id,
    name,
    summary: `What ${name} is about.`,
    pace: { kind: "turn-based" },
    controls: controls.map((control) => ({ name: control, label: control, keys: [] })),
    actions: [],
    options: [],
    agents: [],
    aliases: [],
    steer: null,
    show: { score: true, lives: null, text: null, pixel_aspect: 1, smooth: false },
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

describe("game search", () => {
  test("search without words returns all games by name", () => {
    expect(found("")).toEqual(["breakout", "pong", "hanoi"]);
  });

  test("search with several words matches each in name, summary and tags", () => {
    expect(found("atari PONG")).toEqual(["pong"]);
    expect(found("atari hanoi")).toEqual([]);
  });

  test("search with a prefix of a name ranks that name first", () => {
    expect(found("p")).toEqual(["pong", "breakout", "hanoi"]);
  });

  test("search with a tag returns only games with the tag", () => {
    expect(found("", "puzzle")).toEqual(["hanoi"]);
  });

  test("tags of several games are sorted by frequency", () => {
    expect(tagsByFrequency(games)).toEqual(["atari", "paddle", "puzzle", "sport"]);
  });
});

const hanoi: Game = {
  ...game("tower-of-hanoi", "Tower of Hanoi"),
  options: [
    { name: "disks", label: "Disks", values: ["3", "4"], labels: ["3", "4"], default: "3" },
    { name: "mode", label: "Mode", values: ["0", "1"], labels: ["0", "1"], default: null },
  ],
  aliases: [{ id: "tower-of-hanoi-4", options: { disks: "4" } }],
};

describe("options", () => {
  test("search by a former name or id finds the game that it became an option of", () => {
    const find = (words: string) => findGames([...games, hanoi], words, null).map(({ id }) => id);
    expect(find("Tower of Hanoi, 4 disks")).toEqual(["tower-of-hanoi"]);
    expect(find("tower-of-hanoi-4")).toEqual(["tower-of-hanoi"]);
    expect(find("Tower of Hanoi, 5 disks")).toEqual([]);
  });

  test("valid options are those offered, without the default", () => {
    expect(validOptions(hanoi, { disks: "4", mode: "0" })).toEqual({ disks: "4", mode: "0" });
    expect(validOptions(hanoi, { disks: "3", mode: "7", speed: "2" })).toEqual({});
  });

  test("described options name the default of a size and no other default", () => {
    expect(describeOptions(hanoi.options, {})).toBe("Disks 3");
    expect(describeOptions(hanoi.options, { disks: "4", mode: "1" })).toBe("Disks 4, Mode 1");
  });

  test("preferences of a former id hold for the game", () => {
    expect(storedFor({ "tower-of-hanoi-4": "old" }, hanoi)).toBe("old");
    expect(storedFor({ "tower-of-hanoi-4": "old", "tower-of-hanoi": "new" }, hanoi)).toBe("new");
    expect(storedFor({ breakout: "other" }, hanoi)).toBeUndefined();
    expect(optionsOfId(hanoi, "tower-of-hanoi-4")).toEqual({ disks: "4" });
    expect(optionsOfId(hanoi, "tower-of-hanoi")).toEqual({});
  });
});

describe("featured games", () => {
  test("featured games with listed games keeps its order and repeats no game", () => {
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

describe("touch controls", () => {
  test("touch controls with directions place them on the pad and the rest on buttons", () => {
    const deck = touchLayoutFor(game("a", "A", [], ["left", "right", "fire"]));
    expect(deck.pad).toEqual({ left: "left", right: "right" });
    expect(deck.buttons.map(({ name }) => name)).toEqual(["fire"]);
  });

  test("touch controls with a single direction have no pad", () => {
    const deck = touchLayoutFor(game("a", "A", [], ["up", "pole-1"]));
    expect(deck.pad).toBeNull();
    expect(deck.buttons).toHaveLength(2);
  });
});

test("best score of a game with several episodes is the highest", () => {
  const played = (game_id: string, score: Episode["score"]) =>
    ({ game_id, score, certificate: "certified", status: "lost", options: {} }) as Episode;
  const left = { ...played("a", 9), status: "incomplete" } as Episode;
  const easy = { ...played("a", 9), options: { difficulty: "0" } };
  const episodes = [played("a", -3), played("a", "NaN"), played("b", 2), played("a", -1)];
  const best = bestScores([...episodes, played("c", "NaN"), left, easy]);
  expect([...best]).toEqual([
    ["a", -1],
    ["b", 2],
  ]);
});
