// @vitest-environment happy-dom
import { beforeEach, describe, expect, test } from "vitest";

import { HeldControls, type ControlChange } from "@/play/input/held-controls";
import { listenKeyboard, type KeyUse } from "@/play/input/keyboard";
import { listenPad, padDirections } from "@/play/input/touch";

let changes: ControlChange[];
let controls: HeldControls;

beforeEach(() => {
  changes = [];
  controls = new HeldControls((change) => changes.push(change));
});

const words = () => changes.map(({ control, down }) => `${control} ${down ? "down" : "up"}`);

describe("controls over all devices", () => {
  test("controls with two keys of one control held report one press", () => {
    controls.press("left", "keyboard", "ArrowLeft", 1);
    controls.press("left", "keyboard", "KeyA", 2);
    controls.release("keyboard", "ArrowLeft", 3);
    expect(words()).toEqual(["left down"]);
    controls.release("keyboard", "KeyA", 4);
    expect(words()).toEqual(["left down", "left up"]);
    expect(changes[1]).toMatchObject({ at: 4, code: "KeyA" });
  });

  test("control held by two devices stays pressed until both release it", () => {
    controls.press("fire", "keyboard", "Space", 1);
    controls.press("fire", "touch", "button-fire-1", 2);
    controls.release("keyboard", "Space", 3);
    expect(words()).toEqual(["fire down"]);
  });

  test("releasing all controls releases each control once", () => {
    controls.press("left", "keyboard", "ArrowLeft", 1);
    controls.press("left", "keyboard", "KeyA", 2);
    controls.press("fire", "keyboard", "Space", 3);
    controls.releaseAll(9);
    expect(words()).toEqual(["left down", "fire down", "left up", "fire up"]);
    expect(controls.held()).toEqual([]);
  });

  test("release of a control that is not pressed has no effect", () => {
    controls.release("keyboard", "Space", 1);
    expect(changes).toEqual([]);
  });
});

describe("the keyboard", () => {
  let use: KeyUse;

  beforeEach(() => {
    use = "captured";
    document.body.innerHTML = `<button id="b">B</button><input id="i">`;
    const keys = new Map([
      ["Space", "fire"],
      ["ArrowLeft", "left"],
    ]);
    return listenKeyboard(window, keys, controls, () => use);
  });

  function type(kind: "keydown" | "keyup", code: string, init: KeyboardEventInit = {}, on = "") {
    const target = on === "" ? document.body : document.getElementById(on);
    const event = new KeyboardEvent(kind, { code, bubbles: true, cancelable: true, ...init });
    target?.dispatchEvent(event);
    return event;
  }

  test("keyboard event reports its own time and code", () => {
    const event = type("keydown", "Space");
    expect(changes).toEqual([
      { control: "fire", down: true, at: event.timeStamp, device: "keyboard", code: "Space" },
    ]);
  });

  test("repeated key presses once and does not scroll the page", () => {
    expect(type("keydown", "Space").defaultPrevented).toBe(true);
    expect(type("keydown", "Space", { repeat: true }).defaultPrevented).toBe(true);
    type("keyup", "Space");
    expect(words()).toEqual(["fire down", "fire up"]);
  });

  test("tap of zero length reports a press and a release", () => {
    for (let tap = 0; tap < 3; tap++) {
      type("keydown", "ArrowLeft");
      type("keyup", "ArrowLeft");
    }
    expect(words()).toEqual(Array(3).fill(["left down", "left up"]).flat());
  });

  test("unassigned keys and shortcuts are left to the browser", () => {
    expect(type("keydown", "KeyQ").defaultPrevented).toBe(false);
    expect(type("keydown", "Space", { ctrlKey: true }).defaultPrevented).toBe(false);
    expect(changes).toEqual([]);
  });

  test("key typed into a field presses no control", () => {
    expect(type("keydown", "Space", {}, "i").defaultPrevented).toBe(false);
    expect(changes).toEqual([]);
  });

  test("captured key with a focused button does not click the button", () => {
    expect(type("keydown", "Space", {}, "b").defaultPrevented).toBe(true);
    expect(words()).toEqual(["fire down"]);
  });

  test("guarded key presses no control but activates buttons", () => {
    use = "suppressed";
    expect(type("keydown", "Space").defaultPrevented).toBe(true);
    expect(type("keydown", "Space", {}, "b").defaultPrevented).toBe(false);
    expect(changes).toEqual([]);
  });

  test("key pressed while captured is released after the capture ends", () => {
    type("keydown", "Space");
    use = "free";
    type("keyup", "Space");
    expect(words()).toEqual(["fire down", "fire up"]);
  });

  test("Command key releases all controls, because the browser omits their keyup events", () => {
    type("keydown", "ArrowLeft");
    type("keyup", "MetaLeft");
    expect(words()).toEqual(["left down", "left up"]);
  });
});

describe("the direction pad", () => {
  const cross = { up: "up", down: "down", left: "left", right: "right" };

  test.each([
    [0.05, 0.05, []],
    [-0.9, 0.1, ["left"]],
    [0.9, -0.1, ["right"]],
    [0.1, -0.9, ["up"]],
    [0, 0.5, ["down"]],
    [0.6, -0.6, ["right", "up"]],
    [-0.5, 0.6, ["left", "down"]],
  ])("at (%f, %f) presses %j", (x, y, directions) => {
    expect(padDirections(x, y, cross)).toEqual(directions);
  });

  test("direction pad with two directions assigns half of the area to each", () => {
    expect(padDirections(-0.3, 0.9, { left: "left", right: "right" })).toEqual(["left"]);
  });

  test("direction pad with sliding or multiple fingers follows each finger", () => {
    const element = document.createElement("div");
    element.setPointerCapture = () => undefined;
    element.getBoundingClientRect = () => new DOMRect(0, 0, 100, 100);
    const stop = listenPad(element, cross, controls);
    const point = (kind: string, clientX: number, clientY: number, pointerId = 1) =>
      element.dispatchEvent(
        new PointerEvent(kind, { clientX, clientY, pointerId, pointerType: "touch" }),
      );
    point("pointerdown", 5, 50);
    point("pointermove", 12, 12);
    point("pointermove", 50, 5);
    point("pointerdown", 95, 50, 2);
    point("pointerup", 50, 5);
    point("pointercancel", 95, 50, 2);
    stop();
    point("pointerdown", 5, 50);
    expect(words()).toEqual(["left down", "up down", "left up", "right down", "up up", "right up"]);
    expect(changes[0]?.device).toBe("touch");
  });
});
