// @vitest-environment happy-dom
import { beforeEach, describe, expect, test } from "vitest";

import { HeldControls } from "@/play/input/held-controls";
import { listenGamepads } from "@/play/input/gamepad";

import { FakePlatform } from "../support/platform";

const MAP = {
  directions: { left: "left", right: "right", up: "up", down: "down" },
  buttons: ["fire", "jump"],
  steer: null,
};

/** Gamepad whose state a test sets. */
class FakeGamepad {
  readonly id = "Hand pad";
  mapping: GamepadMappingType = "standard";
  readonly index = 0;
  timestamp = 0;
  connected = true;
  axes = [0, 0, 0, 0];
  buttons = Array.from({ length: 17 }, () => ({ pressed: false, touched: false, value: 0 }));

  press(index: number, pressed = true): void {
    this.buttons[index] = { pressed, touched: pressed, value: Number(pressed) };
  }
}

let platform: FakePlatform;
let pad: FakeGamepad;
let log: string[];
let times: number[];
let slots: (Gamepad | null)[];
let names: string[];
let disconnects: number;
let stop: () => void;

beforeEach(() => {
  platform = new FakePlatform();
  pad = new FakeGamepad();
  [log, times, names, slots, disconnects] = [[], [], [], [], 0];
  const controls = new HeldControls(({ control, down, device, at }) => {
    log.push(`${device} ${control} ${down ? "down" : "up"}`);
    times.push(at);
  });
  stop = listenGamepads(platform, () => slots, MAP, controls, {
    button: (index) => log.push(`button ${index}`),
    connectedPads: (now) => (names = [...now]),
    disconnected: () => disconnects++,
  });
});

function connectPad(): void {
  slots = [null, pad as unknown as Gamepad];
  dispatchEvent(new Event("gamepadconnected"));
}

describe("gamepad", () => {
  test("gamepad before it is connected is not polled", () => {
    expect(platform.runAnimationFrame()).toBe(0);
    connectPad();
    expect(names).toEqual(["Hand pad"]);
    expect(platform.runAnimationFrame()).toBe(1);
  });

  test("gamepad stick beyond the dead zone presses directions with hysteresis", () => {
    connectPad();
    const at = (x: number): string[] => {
      pad.axes[0] = x;
      platform.runAnimationFrame();
      return log.splice(0);
    };
    expect(at(0.3)).toEqual([]);
    expect(at(-0.4)).toEqual(["gamepad left down"]);
    expect(at(-0.3)).toEqual([]);
    expect(at(-0.2)).toEqual(["gamepad left up"]);
    expect(at(0.9)).toEqual(["gamepad right down"]);
  });

  test("gamepad d-pad and stick in one direction press one control", () => {
    connectPad();
    pad.press(15);
    platform.runAnimationFrame();
    pad.axes[0] = 1;
    platform.runAnimationFrame();
    pad.press(15, false);
    platform.runAnimationFrame();
    expect(log).toEqual(["gamepad right down", "button 15"]);
  });

  test("gamepad buttons when pressed press the remaining controls in order", () => {
    connectPad();
    pad.press(0);
    pad.press(1);
    platform.runAnimationFrame();
    expect(log.filter((word) => word.endsWith("down"))).toEqual([
      "gamepad fire down",
      "gamepad jump down",
    ]);
  });

  test("gamepad when disconnected releases its controls and reports it", () => {
    connectPad();
    pad.press(0);
    platform.runAnimationFrame();
    slots = [];
    platform.runAnimationFrame();
    expect(log.at(-1)).toBe("gamepad fire up");
    expect([disconnects, names.length]).toEqual([1, 0]);
    expect(platform.runAnimationFrame()).toBe(0);
  });

  test("gamepad without listeners is no longer polled", () => {
    connectPad();
    pad.press(0);
    platform.runAnimationFrame();
    stop();
    expect(log.at(-1)).toBe("gamepad fire up");
    expect(platform.runAnimationFrame()).toBe(0);
  });
});

/** Polls with these axes and returns the held directions. */
function heldWith(axes: readonly number[]): string[] {
  pad.axes = [...axes];
  platform.runAnimationFrame();
  for (const entry of log.splice(0)) {
    const [, control = "", change] = entry.split(" ");
    if (change === "down") heldDirections.add(control);
    else heldDirections.delete(control);
  }
  return [...heldDirections].sort();
}
const heldDirections = new Set<string>();
const hatAxes = (value: number) => [0, 0, 0, 0, 0, 0, 0, 0, 0, value];
const crossAxes = (x: number, y: number) => [0, 0, 0, 0, 0, 0, x, y];

describe("gamepad without the standard mapping", () => {
  beforeEach(() => {
    heldDirections.clear();
    pad.mapping = "";
    pad.axes = hatAxes(0);
  });

  test.each([9 / 7, 23 / 7])("hat on axis 9 with rest position %d presses 8 directions", (rest) => {
    connectPad();
    expect(heldWith(hatAxes(rest))).toEqual([]);
    const directions = [0, 1, 2, 3, 4, 5, 6, 7].map((step) =>
      heldWith(hatAxes(Math.fround(-1 + (2 / 7) * step))).join("+"),
    );
    expect(directions).toEqual([
      "up",
      "right+up",
      "right",
      "down+right",
      "down",
      "down+left",
      "left",
      "left+up",
    ]);
    expect(heldWith(hatAxes(rest))).toEqual([]);
  });

  test("hat that reports 0 before its first use presses nothing, then left", () => {
    connectPad();
    expect(heldWith(hatAxes(0))).toEqual([]);
    expect(heldWith(hatAxes(0.714))).toEqual(["left"]);
  });

  test("hat that is held when the gamepad connects is pressed", () => {
    pad.axes = hatAxes(0.714);
    connectPad();
    expect(heldWith(hatAxes(0.714))).toEqual(["left"]);
  });

  test("hat on another axis is found by its rest position", () => {
    connectPad();
    expect(heldWith([0, 0, 0, 0, 3.2857])).toEqual([]);
    expect(heldWith([0, 0, 0, 0, -1])).toEqual(["up"]);
  });

  test("trigger on axis 9 presses nothing", () => {
    connectPad();
    for (const value of [0, -1, -1, -0.5, 0.1, 0.714, 1, 0.4286, -1])
      expect(heldWith(hatAxes(value))).toEqual([]);
  });

  test("cross on axes 6 and 7 presses its directions", () => {
    connectPad();
    expect(heldWith(crossAxes(-1, 0))).toEqual(["left"]);
    expect(heldWith(crossAxes(-1, -1))).toEqual(["left", "up"]);
    expect(heldWith(crossAxes(1, 1))).toEqual(["down", "right"]);
    expect(heldWith(crossAxes(0, 0))).toEqual([]);
  });

  test.each([
    ["two triggers at rest", crossAxes(-1, -1)],
    ["a throttle beside a hat", [0, 0, 0, 0, 0, 0, -1, 0, 0, 9 / 7]],
    ["an analogue axis", crossAxes(0, 0.4)],
  ])("axes 6 and 7 with %s press nothing", (_, axes) => {
    pad.axes = axes;
    connectPad();
    expect(heldWith(axes)).toEqual([]);
    expect(heldWith(axes)).toEqual([]);
  });
});

describe("gamepad timestamp", () => {
  /** Presses a button after two polls and returns the time of the press. */
  function pressWith(timestamps: readonly [number, number]): number | undefined {
    [pad.timestamp] = timestamps;
    connectPad();
    platform.advance(16);
    platform.runAnimationFrame();
    platform.advance(16);
    pad.press(0);
    [, pad.timestamp] = timestamps;
    platform.runAnimationFrame();
    return times[0];
  }

  test("timestamp between two polls is the time of the press", () => {
    expect(pressWith([1000, 1024.5])).toBe(1024.5);
  });

  test.each([
    ["that never changes", 1, 1],
    ["that stays at a recent value", 1024, 1024],
    ["far in the past", 5, 6],
    ["in the future", 1e12, 1e12 + 16],
    ["of zero", 0, 0],
  ])("timestamp %s is replaced by the time of the poll", (_, before, after) => {
    expect(pressWith([before, after])).toBe(1032);
  });
});
