// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { KeyboardLayout } from "@/lib/keyboard-layout";

let layout: KeyboardLayout;
let unsubscribe: () => void;
let changes: number;

function subscribe(): void {
  layout = new KeyboardLayout();
  changes = 0;
  unsubscribe = layout.subscribe(() => changes++);
}

function stubLayoutMap(getLayoutMap: () => Promise<ReadonlyMap<string, string>>): void {
  Object.assign(navigator, { keyboard: { getLayoutMap } });
}

const press = (code: string, key: string, more: KeyboardEventInit = {}) =>
  dispatchEvent(new KeyboardEvent("keydown", { code, key, ...more }));

beforeEach(() => {
  localStorage.clear();
  subscribe();
});

afterEach(() => {
  unsubscribe();
  Object.assign(navigator, { keyboard: undefined });
});

describe("key label without a layout map", () => {
  test("before any press is that of a US keyboard", () => {
    expect(["KeyA", "Digit1", "ArrowLeft", "Semicolon"].map(layout.label)).toEqual([
      "A",
      "1",
      "←",
      ";",
    ]);
  });

  test.each([
    ["AZERTY", { KeyQ: "a", KeyA: "q", KeyW: "z", KeyZ: "w", Semicolon: "m", KeyM: "," }],
    ["QWERTZ", { KeyZ: "y", KeyY: "z", Semicolon: "ö", BracketLeft: "ü", Minus: "ß" }],
    ["Dvorak", { KeyS: "o", KeyQ: "'", KeyW: ",", Semicolon: "s" }],
    ["Russian", { KeyA: "ф", KeyW: "ц" }],
  ])("after presses on %s is the character of the key", (_, keys) => {
    for (const [code, key] of Object.entries(keys)) press(code, key);
    for (const [code, key] of Object.entries(keys))
      expect(layout.label(code)).toBe(key === "ß" ? key : key.toUpperCase());
    expect(changes).toBeGreaterThan(0);
  });

  test("learned label persists, and a press with a US layout removes it", () => {
    press("KeyQ", "a");
    unsubscribe();
    subscribe();
    expect(layout.label("KeyQ")).toBe("A");
    press("KeyQ", "q");
    expect(layout.label("KeyQ")).toBe("Q");
  });

  test.each<[string, string, string, KeyboardEventInit]>([
    ["digit of AZERTY", "Digit1", "&", {}],
    ["dead key", "BracketLeft", "Dead", {}],
    ["shortcut", "KeyQ", "å", { altKey: true }],
    ["symbol with Shift", "Comma", "?", { shiftKey: true }],
    ["composed character", "KeyQ", "か", { isComposing: true }],
    ["named key", "ArrowLeft", "ArrowLeft", {}],
  ])("%s changes no label", (_, code, key, more) => {
    const before = layout.label(code);
    press(code, key, more);
    expect(layout.label(code)).toBe(before);
  });

  test("letter with Shift is learned", () => {
    press("KeyQ", "A", { shiftKey: true });
    expect(layout.label("KeyQ")).toBe("A");
  });
});

describe("key label with a layout map", () => {
  test("is that of the map, except for digits", async () => {
    unsubscribe();
    stubLayoutMap(() =>
      Promise.resolve(
        new Map([
          ["KeyQ", "a"],
          ["KeyA", "q"],
          ["Digit1", "&"],
        ]),
      ),
    );
    subscribe();
    await vi.waitFor(() => expect(changes).toBe(1));
    expect(["KeyQ", "KeyA", "Digit1", "KeyX"].map(layout.label)).toEqual(["A", "Q", "1", "X"]);
  });

  test("that is rejected is that of a US keyboard", async () => {
    unsubscribe();
    stubLayoutMap(() => Promise.reject(new DOMException("not allowed", "SecurityError")));
    subscribe();
    await Promise.resolve();
    expect(layout.label("KeyQ")).toBe("Q");
  });
});
