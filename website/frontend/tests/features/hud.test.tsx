// @vitest-environment happy-dom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import type { Game } from "@/api/client";
import { Hud } from "@/features/play/hud";
import type { Phase, Snapshot } from "@/play/engine";

const game = {
  pace: { kind: "real-time", hz: 60 },
  show: { score: true, lives: null },
} as unknown as Game;

function show(score: number, best: number | null, kind: Phase["kind"] = "playing") {
  const snapshot = { phase: { kind }, score, lives: null, seconds: 0, steps: 0 } as Snapshot;
  render(<Hud game={game} snapshot={snapshot} best={best} />);
}

const text = (id: string) => screen.getByTestId(id).textContent;

afterEach(cleanup);

test.each([
  ["above it", 90, 50, "50"],
  ["below it", 20, 50, "50"],
  ["not fallen yet, where it only falls", 0, -13, "-13"],
  ["the first", 20, null, "–"],
])("the best is that of the rounds before, with a score %s", (_, score, best, shown) => {
  show(score, best);
  expect(text("best")).toBe(shown);
  expect(text("score")).toBe(String(score));
});

test("score display highlights a score above the best, but not one that has not decreased yet", () => {
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
] as const)("it is seen while %s: %s, so that it shines through no words", (kind, seen) => {
  show(1, null, kind);
  expect(screen.getByTestId("hud").classList.contains("invisible")).toBe(!seen);
});

test.each([
  [NaN, "not a number"],
  [Infinity, "∞"],
  [-Infinity, "-∞"],
])("hud with score %d shows it as %s", (score, shown) => {
  show(score, null);
  expect(text("score")).toBe(shown);
});
