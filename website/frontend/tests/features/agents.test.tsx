// @vitest-environment happy-dom
// Scores of an agent beside those of people, and why there is no comparison.
import { cleanup, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test } from "vitest";

import type { AgentScore } from "@/api/agents";
import { describeProtocol, describeReason } from "@/features/agents/agent-texts";
import { ScoreCard } from "@/features/agents/score-card";

import { renderWithTexts } from "../support/render-with-texts";

afterEach(cleanup);

const SCORE: AgentScore = {
  game_id: "pong",
  game_name: "Pong",
  options: {},
  version: 2,
  pace: "realtime",
  sticky_probability: 0.25,
  frame_skip: 1,
  agent: { episodes: 4, players: 1, median: 7, best: 21 },
  people: { episodes: 9, players: 3, median: -3, best: 12 },
  you: null,
  incomparable: null,
  replays: [{ id: "019abc", score: 21, steps: 100 }],
};

const show = (score: AgentScore) =>
  renderWithTexts(
    <MemoryRouter>
      <ScoreCard score={score} game={undefined} />
    </MemoryRouter>,
  );

test("protocol names what must be equal", () => {
  expect(describeProtocol(SCORE)).toBe("real time, sticky actions 0.25, frame skip 1");
  const other = { ...SCORE, pace: "stepped", sticky_probability: 0, frame_skip: null } as const;
  expect(describeProtocol(other)).toBe("the game waits, no sticky actions");
  expect(describeProtocol({ ...other, pace: "turn-based", sticky_probability: null })).toBe(
    "turn-based",
  );
});

test("scores of an agent are beside those of people with equal settings", () => {
  show(SCORE);
  expect(screen.getByText("People")).toBeDefined();
  expect(screen.getByText("median of 9 rounds, best 12")).toBeDefined();
  expect(screen.getByText("3 players")).toBeDefined();
  expect(screen.queryByText("You")).toBeNull();
  expect(screen.getByRole("link", { name: "Race it Pong" }).getAttribute("href")).toBe(
    "/play/pong?ghost=019abc",
  );
  expect(screen.getByRole("link", { name: "Watch round with 21" }).getAttribute("href")).toBe(
    "/replay/019abc",
  );
});

test("scores without a comparison say why", () => {
  show({ ...SCORE, people: null, incomparable: "stepped", replays: [] });
  expect(screen.queryByText("People")).toBeNull();
  expect(screen.getByText(describeReason("stepped"))).toBeDefined();
  expect(screen.queryByRole("link")).toBeNull();
});
