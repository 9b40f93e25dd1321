// @vitest-environment happy-dom
import { expect, test } from "vitest";

import { HeldControls } from "@/play/input/held-controls";
import { listenSteer, steerControls, type Steer } from "@/play/input/steer";

const STEER: Steer = {
  left: [["left"], ["left", "full"]],
  right: [["right"], ["right", "full"]],
  up: [["up"]],
  down: null,
};

const at = (x: number, y = 0) => [...steerControls(x, y, STEER, 0.2)];

test("steering with a larger deflection selects a later step, and none near the centre", () => {
  expect(at(0.1)).toEqual([]);
  expect(at(0.5)).toEqual(["right"]);
  expect(at(-0.7)).toEqual(["left", "full"]);
  expect(at(-3)).toEqual(["left", "full"]);
});

test("steering in two directions presses both, and ignores missing controls", () => {
  expect(at(0.3, -0.9)).toEqual(["right", "up"]);
  expect(at(0, 1)).toEqual([]);
});

test("mouse steering is active while the button is held on the screen", () => {
  const words: string[] = [];
  const controls = new HeldControls(({ control, down, device }) =>
    words.push(`${device} ${control} ${down ? "down" : "up"}`),
  );
  const screen = document.createElement("canvas");
  screen.getBoundingClientRect = () => ({ left: 0, top: 0, width: 200, height: 100 }) as DOMRect;
  screen.setPointerCapture = () => undefined;
  const stop = listenSteer(screen, STEER, controls);
  const point = (type: string, clientX: number) =>
    screen.dispatchEvent(
      new PointerEvent(type, { clientX, clientY: 50, pointerId: 1, pointerType: "mouse" }),
    );
  point("pointermove", 0);
  point("pointerdown", 70);
  point("pointermove", 5);
  point("pointerup", 5);
  expect(words).toEqual(["mouse left down", "mouse full down", "mouse left up", "mouse full up"]);
  stop();
});
