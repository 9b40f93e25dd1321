// @vitest-environment happy-dom
import { cleanup, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import type { Game } from "@/api/client";
import { Hud } from "@/features/play/hud";
import type { Phase, Snapshot } from "@/play/engine";

import { renderWithTexts } from "../support/render-with-texts";

const game = {
  pace: { kind: "real-time", hz: 60 },
  show: { score: true, lives: null },
} as unknown as Game;

function show(score: number, best: number | null, kind: Phase["kind"] = "playing") {
  const snapshot = { phase: { kind }, score, lives: null, seconds: 0, steps: 0 } as Snapshot;
  renderWithTexts(<Hud game={game} snapshot={snapshot} best={best} />);
}

const text = (id: string) => screen.getByTestId(id).textContent;

afterEach(cleanup);

test.each([
  ["above the best", 90, 50, "50"],
  ["below the best", 20, 50, "50"],
  ["of 0 in a game whose score only decreases", 0, -13, "-13"],
  ["of the first episode", 20, null, "–"],
])("hud with a score %s shows the best score of earlier episodes", (_, score, best, shown) => {
  show(score, best);
  expect(text("best")).toBe(shown);
  expect(text("score")).toBe(String(score));
});

test("hud highlights a score above the best, but not the initial 0 of a decreasing score", () => {
  show(90, 50);
  expect(screen.getByTestId("score").className).toContain("text-teal");
  cleanup();
  show(0, -13);
  expect(screen.getByTestId("score").className).not.toContain("text-teal");
});

test.each([
  ["playing", true],
  ["countdown", true],
  ["ready", false],
  ["paused", false],
  ["ended", false],
  ["reconnecting", false],
] as const)(
  "hud in phase %s has visibility %s, because an overlay covers it in the others",
  (kind, seen) => {
    show(1, null, kind);
    expect(screen.getByTestId("hud").classList.contains("invisible")).toBe(!seen);
  },
);

test.each([
  [NaN, "not a number"],
  [Infinity, "∞"],
  [-Infinity, "-∞"],
])("hud with score %d shows it as %s", (score, shown) => {
  show(score, null);
  expect(text("score")).toBe(shown);
});
