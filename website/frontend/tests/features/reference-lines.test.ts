import { expect, test } from "vitest";

import type { ChartAnswer } from "@/api/research";
import {
  describeLines,
  fitLines,
  listLines,
  spreadLabels,
} from "@/features/research/reference-lines";

const NAMES = ["kind", "name", "value", "players", "episodes", "protocol", "differs", "source"];
const answer: ChartAnswer = {
  title: "Published scores and programs",
  columns: NAMES.map((name) => ({ name, meaning: name })),
  rows: [
    ["shown", "Shown episodes", null, 3, 40, "each frame", null, "here"],
    ["random", "Random agent", 1.7, null, null, "random", "see its protocol", "dqn-zoo"],
    ["human", "Human, dqn-zoo", 30.5, null, null, "tester", "see its protocol", "dqn-zoo"],
    ["human", "Human, world-record", 864, null, null, "record", "see its protocol", "record"],
    ["agent", "DQN", 401.2, null, null, "every 4 frames", "frame skip", "paper"],
    ["program", "follower", 12, 1, 5, "stepped", null, "here"],
  ],
  episodes: 40,
  players: 3,
  left_out: null,
  flags_version: 1,
  notes: [],
  sql: "",
  python: "",
};

test("listLines returns programs only if they are asked for, and one human", () => {
  const names = (wanted: string) => listLines(answer, wanted, "dqn-zoo").map(({ name }) => name);
  expect(names("published")).toEqual(["Random agent", "Human, dqn-zoo", "DQN"]);
  expect(names("programs")).toEqual(["follower"]);
  expect(names("all")).toHaveLength(4);
  expect(names("none")).toEqual([]);
  expect(listLines(undefined, "all", "dqn-zoo")).toEqual([]);
});

test("listLines says how a value was measured and what differs", () => {
  const [, , agent] = listLines(answer, "published", "dqn-zoo");
  const [program] = listLines(answer, "programs", "dqn-zoo");
  expect(agent?.protocol).toBe("every 4 frames; differs in frame skip");
  expect(program?.protocol).toBe("stepped, 5 episodes");
});

test("fitLines leaves out lines that would more than double the axis", () => {
  const lines = listLines(answer, "published", "dqn-zoo");
  expect(fitLines(lines, [5, 40]).map(({ name }) => name)).toEqual([
    "Random agent",
    "Human, dqn-zoo",
  ]);
  expect(describeLines(lines)).toContain("DQN 401.2");
});

test("spreadLabels keeps the order and the distance", () => {
  expect(spreadLabels([10, 50, 12], 13)).toEqual([10, 50, 23]);
  expect(spreadLabels([7, 7, 7], 13)).toEqual([7, 20, 33]);
});
