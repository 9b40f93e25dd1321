import { expect, test } from "vitest";

import type { Episode } from "@/api/client";
import {
  bestEpisode,
  bestScore,
  compareResults,
  isRecord,
  achievementsOf,
  finishedEpisodes,
} from "@/features/play/episode-results";

const turns = { pace: { kind: "turn-based" } } as const;
const ticks = { pace: { kind: "real-time", hz: 60 } } as const;
const round = (score: number | null, steps: number, won = false) => ({ score, steps, won });

test("episode results of a game contain its finished episodes, oldest first, without the current one", () => {
  const episode = (id: string, game_id: string, score: number, time_ended: string | null) =>
    ({
      id,
      game_id,
      score,
      n_steps: 9,
      time_ended,
      status: "lost",
      options: {},
      is_branch: false,
    }) as Episode;
  const episodes = [
    episode("now", "pong", 5, "2026"),
    episode("c", "pong", 3, null),
    episode("b", "breakout", 2, "2026"),
    episode("a", "pong", 1, "2026"),
    episode("z", "pong", 0, "2026"),
    { ...episode("left", "pong", 9, "2026"), status: "incomplete" } as Episode,
    { ...episode("branch", "pong", 7, "2026"), is_branch: true },
    { ...episode("slow", "pong", 8, "2026"), options: { speed: "0.5" } },
  ];
  const scores = (options: Record<string, string>) =>
    finishedEpisodes(episodes, "pong", options, "now").map(({ score }) => score);
  expect(scores({})).toEqual([0, 1]);
  expect(scores({ speed: "0.5" })).toEqual([8]);
});

test("episode that ended on this page is counted immediately and once", () => {
  const listed = {
    ...{ id: "a", game_id: "pong", score: 1, n_steps: 9, status: "lost", time_ended: "2026" },
    options: {},
  } as unknown as Episode;
  const here = ["a", "b", "c"].map((id, score) => ({ id, ...round(score, 9), options: {} }));
  const slow = { id: "d", ...round(7, 9), options: { speed: "0.5" } };
  const scores = (but: string | null) =>
    finishedEpisodes([listed], "pong", {}, but, [...here, slow]).map(({ score }) => score);
  expect(scores("c")).toEqual([1, 1]);
  expect(scores(null)).toEqual([1, 1, 2]);
});

test("results with equal scores are ordered by fewer steps only in turn-based games", () => {
  const rounds = [round(1, 20), round(1, 14), round(2, 99)];
  expect([...rounds].sort(compareResults(turns))).toEqual([
    round(2, 99),
    round(1, 14),
    round(1, 20),
  ]);
  expect([...rounds].sort(compareResults(ticks))).toEqual([
    round(2, 99),
    round(1, 20),
    round(1, 14),
  ]);
});

test("record with earlier episodes is better than all of them, and needs at least one", () => {
  expect(isRecord(ticks, round(5, 1), [])).toBe(false);
  expect(isRecord(ticks, round(5, 1), [round(5, 9)])).toBe(false);
  expect(isRecord(turns, round(5, 1), [round(5, 9)])).toBe(true);
  expect(isRecord(ticks, round(6, 1), [round(5, 9), round(-1, 9)])).toBe(true);
});

test("achievements list what the player did for the first time", () => {
  expect(achievementsOf(ticks, round(5, 1, true), [])).toEqual(["Won on the first try"]);
  expect(achievementsOf(ticks, round(4, 1), [round(5, 9)])).toEqual([]);
  expect(achievementsOf(ticks, round(6, 10, true), [round(5, 9)])).toEqual([
    "New best score",
    "First win",
    "Longest game",
  ]);
  expect(achievementsOf(turns, round(5, 10), [round(5, 9)])).toEqual([]);
});

test("scores that are not numbers are neither best nor records, and rank last", () => {
  const results = [round(NaN, 9), round(-3, 9), round(null, 9), round(-7, 9)];
  expect(bestScore(results)).toBe(-3);
  expect(bestScore([round(NaN, 9), round(null, 9)])).toBe(null);
  expect(bestScore([round(4, 9), round(Infinity, 9)])).toBe(Infinity);
  expect(
    results
      .toSorted(compareResults(ticks))
      .map(({ score }) => score)
      .slice(0, 2),
  ).toEqual([-3, -7]);
  expect(isRecord(ticks, round(NaN, 9), [round(-3, 9)])).toBe(false);
  expect(isRecord(ticks, round(Infinity, 9), [round(Infinity, 9)])).toBe(false);
  expect(isRecord(ticks, round(1, 9), [round(null, 9)])).toBe(true);
});

test("best episode is the best finished one of this game with these options", () => {
  const episode = (id: string, score: number | "NaN", changes: Partial<Episode> = {}) =>
    ({
      ...{ id, score, game_id: "pong", n_steps: 9, time_ended: "2026", status: "lost" },
      options: {},
      ...changes,
    }) as Episode;
  const pong = { id: "pong", ...ticks };
  const episodes = [
    episode("nan", "NaN"),
    episode("second", 4),
    episode("best", 5),
    episode("running", 6, { time_ended: null }),
    episode("left", 7, { status: "incomplete" }),
    episode("slow", 8, { options: { speed: "0.5" } }),
    episode("other", 9, { game_id: "breakout" }),
  ];
  expect(bestEpisode(pong, episodes, {})?.id).toBe("best");
  expect(bestEpisode(pong, episodes, { speed: "0.5" })?.id).toBe("slow");
  expect(bestEpisode(pong, episodes, { mode: "2" })).toBeNull();
});
