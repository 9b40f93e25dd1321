// @vitest-environment happy-dom
import { beforeEach, describe, expect, test } from "vitest";

import { HeldControls } from "@/play/input/held-controls";
import { listenGamepads } from "@/play/input/gamepad";

import { FakePlatform } from "../support/platform";

const MAP = {
  directions: { left: "left", right: "right", up: "up" },
  buttons: ["fire", "jump"],
  steer: null,
};

/** Gamepad whose state a test sets. */
class FakeGamepad {
  readonly id = "Hand pad";
  readonly mapping = "standard";
  readonly index = 0;
  readonly timestamp = 0;
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
let slots: (Gamepad | null)[];
let names: string[];
let disconnects: number;
let stop: () => void;

beforeEach(() => {
  platform = new FakePlatform();
  pad = new FakeGamepad();
  [log, names, slots, disconnects] = [[], [], [], 0];
  const controls = new HeldControls(({ control, down, device }) =>
    log.push(`${device} ${control} ${down ? "down" : "up"}`),
  );
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

describe("a gamepad", () => {
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
