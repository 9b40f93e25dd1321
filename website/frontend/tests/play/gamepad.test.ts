// @vitest-environment happy-dom
import { beforeEach, describe, expect, test } from "vitest";

import { HeldControls } from "@/play/input/held-controls";
import { listenGamepads } from "@/play/input/gamepad";

import { HandPlatform } from "../support/platform";

const MAP = {
  directions: { left: "left", right: "right", up: "up" },
  buttons: ["fire", "jump"],
  steer: null,
};

/** A gamepad whose stick and buttons are moved by hand. */
class HandPad {
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

let platform: HandPlatform;
let pad: HandPad;
let words: string[];
let slots: (Gamepad | null)[];
let names: string[];
let lost: number;
let stop: () => void;

beforeEach(() => {
  platform = new HandPlatform();
  pad = new HandPad();
  [words, names, slots, lost] = [[], [], [], 0];
  const controls = new HeldControls(({ control, down, device }) =>
    words.push(`${device} ${control} ${down ? "down" : "up"}`),
  );
  stop = listenGamepads(platform, () => slots, MAP, controls, {
    button: (index) => words.push(`button ${index}`),
    connectedPads: (now) => (names = [...now]),
    disconnected: () => lost++,
  });
});

function plug(): void {
  slots = [null, pad as unknown as Gamepad];
  dispatchEvent(new Event("gamepadconnected"));
}

describe("a gamepad", () => {
  test("is looked at only from the moment it is plugged in", () => {
    expect(platform.paint()).toBe(0);
    plug();
    expect(names).toEqual(["Hand pad"]);
    expect(platform.paint()).toBe(1);
  });

  test("its stick presses directions, with a dead zone that lets go later than it takes", () => {
    plug();
    const at = (x: number): string[] => {
      pad.axes[0] = x;
      platform.paint();
      return words.splice(0);
    };
    expect(at(0.3)).toEqual([]);
    expect(at(-0.4)).toEqual(["gamepad left down"]);
    expect(at(-0.3)).toEqual([]);
    expect(at(-0.2)).toEqual(["gamepad left up"]);
    expect(at(0.9)).toEqual(["gamepad right down"]);
  });

  test("its cross and its stick are one control", () => {
    plug();
    pad.press(15);
    platform.paint();
    pad.axes[0] = 1;
    platform.paint();
    pad.press(15, false);
    platform.paint();
    expect(words).toEqual(["gamepad right down", "button 15"]);
  });

  test("its buttons play the other controls in order", () => {
    plug();
    pad.press(0);
    pad.press(1);
    platform.paint();
    expect(words.filter((word) => word.endsWith("down"))).toEqual([
      "gamepad fire down",
      "gamepad jump down",
    ]);
  });

  test("that is pulled out lets go, and says so", () => {
    plug();
    pad.press(0);
    platform.paint();
    slots = [];
    platform.paint();
    expect(words.at(-1)).toBe("gamepad fire up");
    expect([lost, names.length]).toEqual([1, 0]);
    expect(platform.paint()).toBe(0);
  });

  test("is let go of when nobody listens any more", () => {
    plug();
    pad.press(0);
    platform.paint();
    stop();
    expect(words.at(-1)).toBe("gamepad fire up");
    expect(platform.paint()).toBe(0);
  });
});
