// @vitest-environment happy-dom
import { cleanup, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";

import {
  type Action,
  answerAction,
  PAIR_KEYS,
  RATING_KEYS,
  SLIDER_KEYS,
  useJudgeKeys,
} from "@/features/judge/keys";

let actions: Action[];

beforeEach(() => {
  actions = [];
});

afterEach(cleanup);

function Keys({ keys }: { keys: Readonly<Record<string, Action>> }) {
  useJudgeKeys(keys, (action) => actions.push(action));
  return (
    <>
      <button type="button">Skip</button>
      <input type="range" aria-label="Rating" />
    </>
  );
}

function press(target: Element, code: string, more: KeyboardEventInit = {}): boolean {
  return target.dispatchEvent(
    new KeyboardEvent("keydown", { code, bubbles: true, cancelable: true, ...more }),
  );
}

test.each([
  ["ArrowLeft", answerAction("left")],
  ["ArrowRight", answerAction("right")],
  ["ArrowUp", answerAction("equal")],
  ["ArrowDown", answerAction("cannot_tell")],
  ["KeyS", answerAction("skip")],
  ["Space", { kind: "toggle" }],
  ["KeyR", { kind: "restart" }],
  ["KeyU", { kind: "undo" }],
] as const)("%s acts on a pair, and does not scroll the page", (code, action) => {
  render(<Keys keys={PAIR_KEYS} />);
  expect(press(document.body, code)).toBe(false);
  expect(actions).toEqual([action]);
});

test.each(["Digit4", "Numpad4"])("%s rates with four", (code) => {
  render(<Keys keys={RATING_KEYS} />);
  press(document.body, code);
  press(document.body, "ArrowLeft");
  expect(actions).toEqual([answerAction("rating", 4)]);
});

test("held key and shortcut of the browser do not answer", () => {
  render(<Keys keys={PAIR_KEYS} />);
  press(document.body, "ArrowLeft", { repeat: true });
  press(document.body, "ArrowLeft", { altKey: true });
  press(document.body, "KeyR", { ctrlKey: true });
  expect(actions).toEqual([]);
});

test("focused button keeps its space, and a slider its arrow keys", () => {
  const { getByRole } = render(<Keys keys={SLIDER_KEYS} />);
  press(getByRole("button"), "Space");
  press(getByRole("slider"), "ArrowDown");
  expect(actions).toEqual([]);
  press(getByRole("slider"), "Space");
  press(getByRole("button"), "ArrowDown");
  expect(actions).toEqual([{ kind: "toggle" }, answerAction("cannot_tell")]);
});
