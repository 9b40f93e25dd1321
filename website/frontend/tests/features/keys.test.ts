import { expect, test } from "vitest";

import { bindKey, controlsByCode, isBindable, effectiveKeys } from "@/features/play/keys";

const GAME = {
  controls: [
    { name: "left", label: "Left", keys: ["ArrowLeft", "KeyA"] },
    { name: "fire", label: "Fire", keys: ["Space"] },
  ],
};

test("a changed control has the person's keys, the others the game's", () => {
  expect(effectiveKeys(GAME, { fire: ["KeyX"], gone: ["KeyY"] })).toEqual({
    left: ["ArrowLeft", "KeyA"],
    fire: ["KeyX"],
  });
});

test("a key that is taken for another control leaves the one that had it", () => {
  const bound = bindKey(effectiveKeys(GAME), "fire", "KeyA");
  expect(bound).toEqual({ left: ["ArrowLeft"], fire: ["KeyA"] });
  expect(controlsByCode(bound).get("KeyA")).toBe("fire");
});

test("keys of the page and of the browser are not free", () => {
  for (const code of ["Escape", "Enter", "Tab", "ControlLeft", "MetaRight", "F5", ""]) {
    expect(isBindable(code), code).toBe(false);
  }
  for (const code of ["Space", "KeyF", "Numpad1", "ShiftLeft"]) {
    expect(isBindable(code), code).toBe(true);
  }
});
