import { useEffect } from "react";

import type { Answer } from "@/api/judgements";

/** What a key or a button does. */
export type Action =
  | { kind: "answer"; answer: Answer; rating: number | null }
  | { kind: "toggle" }
  | { kind: "restart" }
  | { kind: "undo" };

export const answerAction = (answer: Answer, rating: number | null = null): Action => ({
  kind: "answer",
  answer,
  rating,
});

/** Keys of all sets. */
const COMMON_KEYS: Readonly<Record<string, Action>> = {
  ArrowDown: answerAction("cannot_tell"),
  KeyS: answerAction("skip"),
  Space: { kind: "toggle" },
  KeyR: { kind: "restart" },
  KeyU: { kind: "undo" },
};

/** Keys by which two clips are compared. */
export const PAIR_KEYS: Readonly<Record<string, Action>> = {
  ...COMMON_KEYS,
  ArrowLeft: answerAction("left"),
  ArrowRight: answerAction("right"),
  ArrowUp: answerAction("equal"),
};

const rate = (rating: number) => answerAction("rating", rating);

/** Keys by which a clip is rated from 1 to 5. */
export const RATING_KEYS: Readonly<Record<string, Action>> = {
  ...COMMON_KEYS,
  Digit1: rate(1),
  Digit2: rate(2),
  Digit3: rate(3),
  Digit4: rate(4),
  Digit5: rate(5),
  Numpad1: rate(1),
  Numpad2: rate(2),
  Numpad3: rate(3),
  Numpad4: rate(4),
  Numpad5: rate(5),
};

/** Keys of a slider, which has the arrow keys itself. */
export const SLIDER_KEYS: Readonly<Record<string, Action>> = COMMON_KEYS;

/** Calls `act` for the keys that have a meaning. A focused button keeps its space. */
export function useJudgeKeys(
  keys: Readonly<Record<string, Action>>,
  act: (action: Action) => void,
): void {
  useEffect(() => {
    const handle = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.defaultPrevented || event.repeat || isOperating(event)) return;
      const action = keys[event.code];
      if (action === undefined) return;
      event.preventDefault();
      act(action);
    };
    addEventListener("keydown", handle);
    return () => removeEventListener("keydown", handle);
  }, [keys, act]);
}

/** Returns whether the key operates the element that has the focus. */
function isOperating({ target, code }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("input, textarea, select") !== null)
    return /^(Arrow|Page|Home|End)/.test(code);
  return code === "Space" && target.closest("button, a") !== null;
}
