import { describe, expect, test } from "vitest";

import { isMissing, type Question, toData } from "@/features/study/survey";

const named = { name: "q", title: "Q?", description: "", isRequired: true };
const choices = ["a", "b"].map((value) => ({ value, text: value }));
const radio: Question = { ...named, type: "radiogroup", choices };
const check: Question = { ...named, type: "checkbox", choices };
const slider: Question = {
  ...named,
  ...{ type: "slider", min: 0, max: 10, step: 1, minRateDescription: "", maxRateDescription: "" },
};
const matrix: Question = { ...named, type: "matrix", columns: choices, rows: choices };

describe("isMissing", () => {
  test.each([
    [radio, undefined],
    [radio, ""],
    [check, []],
    [slider, undefined],
    [matrix, undefined],
    [matrix, { a: "b" }],
  ])("a required question without a full answer is missing", (question, answer) => {
    expect(isMissing(question, answer)).toBe(true);
    expect(isMissing({ ...question, isRequired: false }, answer)).toBe(false);
  });

  test.each([
    [radio, "a"],
    [check, ["a"]],
    [slider, 0],
    [matrix, { a: "b", b: "a" }],
  ])("an answer, also zero, is not missing", (question, answer) => {
    expect(isMissing(question, answer)).toBe(false);
  });
});

test("toData leaves out what is not answered", () => {
  expect(toData({ a: undefined, b: null, c: "", d: 0, e: [], f: false })).toEqual({
    d: 0,
    e: [],
    f: false,
  });
});
