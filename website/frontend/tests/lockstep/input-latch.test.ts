import { describe, expect, it } from "vitest";

import { InputLatch, type Binding } from "@/play/lockstep/input-latch";

import cases from "./latch.json";

interface Case {
  bindings: Binding[];
  noop: number | null;
  /** "tick", "release", or a control prefixed with + (down) or - (up). */
  moves: string[];
  /** Action of each tick, and the index of the move that led to it. */
  ticks: [number | null, number | null][];
}

describe("input latch", () => {
  it.each((cases as unknown as Case[]).map((each, number) => ({ number, ...each })))(
    "input latch gives the server's action at every tick, case $number",
    ({ bindings, noop, moves, ticks }) => {
      const latch = new InputLatch<number>(bindings, noop);
      const sampled: [number | null, number | null][] = [];
      for (const [number, move] of moves.entries()) {
        if (move === "tick") {
          const { action, source } = latch.sample();
          sampled.push([action, source]);
        } else if (move === "release") latch.release(number);
        else latch.change(move.slice(1), move.startsWith("+"), number);
      }
      expect(sampled).toEqual(ticks);
    },
  );
});
