import { expect, test } from "vitest";

import { bindKey, controlsByCode, isBindable, effectiveKeys } from "@/features/play/keys";

const GAME = {
  controls: [
    { name: "left", label: "Left", keys: ["ArrowLeft", "KeyA"] },
    { name: "fire", label: "Fire", keys: ["Space"] },
  ],
};

test("key map with a changed control uses the player's keys for it and the defaults for others", () => {
  expect(effectiveKeys(GAME, { fire: ["KeyX"], gone: ["KeyY"] })).toEqual({
    left: ["ArrowLeft", "KeyA"],
    fire: ["KeyX"],
  });
});

test("key map with a key assigned to another control removes it from the first", () => {
  const bound = bindKey(effectiveKeys(GAME), "fire", "KeyA");
  expect(bound).toEqual({ left: ["ArrowLeft"], fire: ["KeyA"] });
  expect(controlsByCode(bound).get("KeyA")).toBe("fire");
});

test("key map rejects keys of the page and of the browser", () => {
  for (const code of ["Escape", "Enter", "Tab", "ControlLeft", "MetaRight", "F5", ""]) {
    expect(isBindable(code), code).toBe(false);
  }
  for (const code of ["Space", "KeyF", "Numpad1", "ShiftLeft"]) {
    expect(isBindable(code), code).toBe(true);
  }
});
