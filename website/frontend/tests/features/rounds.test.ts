import { expect, test } from "vitest";

import type { Episode } from "@/api/client";
import { compareRounds, isRecord, roundsOf } from "@/features/playing/rounds";

const turns = { pace: { kind: "turn-based" } } as const;
const ticks = { pace: { kind: "real-time", hz: 60 } } as const;
const round = (score: number, steps: number) => ({ score, steps });

test("rounds are this game's finished ones, oldest first, without the one on the screen", () => {
  const episode = (id: string, game_id: string, score: number, time_ended: string | null) =>
    ({ id, game_id, score, n_steps: 9, time_ended }) as Episode;
  const episodes = [
    episode("now", "pong", 5, "2026"),
    episode("c", "pong", 3, null),
    episode("b", "breakout", 2, "2026"),
    episode("a", "pong", 1, "2026"),
    episode("z", "pong", 0, "2026"),
  ];
  expect(roundsOf(episodes, "pong", "now").map(({ score }) => score)).toEqual([0, 1]);
});

test("fewer steps count only where the game waits for each", () => {
  const rounds = [round(1, 20), round(1, 14), round(2, 99)];
  expect([...rounds].sort(compareRounds(turns))).toEqual([
    round(2, 99),
    round(1, 14),
    round(1, 20),
  ]);
  expect([...rounds].sort(compareRounds(ticks))).toEqual([
    round(2, 99),
    round(1, 20),
    round(1, 14),
  ]);
});

test("a record is better than all before, and needs one before", () => {
  expect(isRecord(ticks, round(5, 1), [])).toBe(false);
  expect(isRecord(ticks, round(5, 1), [round(5, 9)])).toBe(false);
  expect(isRecord(turns, round(5, 1), [round(5, 9)])).toBe(true);
  expect(isRecord(ticks, round(6, 1), [round(5, 9), round(-1, 9)])).toBe(true);
});
