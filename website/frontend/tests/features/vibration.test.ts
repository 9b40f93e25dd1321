// @vitest-environment happy-dom
import { cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { useScreenControls } from "@/features/play/use-input";
import { useVibration } from "@/features/play/use-vibration";
import { HeldControls } from "@/play/input/held-controls";

const vibrate = vi.fn(() => true);
const playEffect = vi.fn(() => Promise.resolve("complete" as const));

beforeEach(() => {
  vibrate.mockClear();
  playEffect.mockClear();
  Object.assign(navigator, { vibrate, getGamepads: () => [] });
});

afterEach(cleanup);

function tap(wanted: boolean, device: "touch" | "keyboard"): string[] {
  const pressed: string[] = [];
  const controls = new HeldControls(({ control }) => pressed.push(control));
  const { result } = renderHook(() => useScreenControls(controls, wanted));
  result.current.press("fire", device, "button-1", 1);
  return pressed;
}

test("vibration on touch is one short pulse, and none on a key", () => {
  expect(tap(true, "touch")).toEqual(["fire"]);
  expect(vibrate).toHaveBeenCalledTimes(1);
  tap(true, "keyboard");
  expect(vibrate).toHaveBeenCalledTimes(1);
});

test("vibration when disabled is silent, and the press still counts", () => {
  expect(tap(false, "touch")).toEqual(["fire"]);
  expect(vibrate).not.toHaveBeenCalled();
});

function loseLife(touch: boolean, wanted: boolean): void {
  const { rerender } = renderHook(({ lives }) => useVibration(lives, touch, wanted), {
    initialProps: { lives: 3 },
  });
  rerender({ lives: 3 });
  rerender({ lives: 2 });
}

test("vibration on a lost life with touch input occurs once", () => {
  loseLife(true, true);
  expect(vibrate).toHaveBeenCalledTimes(1);
  loseLife(false, true);
  expect(vibrate).toHaveBeenCalledTimes(1);
});

test("vibration on a lost life uses a gamepad that supports it and ignores others", () => {
  Object.assign(navigator, {
    getGamepads: () => [null, { vibrationActuator: null }, { vibrationActuator: { playEffect } }],
  });
  loseLife(false, true);
  expect(playEffect).toHaveBeenCalledTimes(1);
  loseLife(false, false);
  expect(playEffect).toHaveBeenCalledTimes(1);
});
