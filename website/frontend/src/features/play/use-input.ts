import { useEffect, useMemo, useState, type RefObject } from "react";

import type { Game, Preferences } from "@/api/client";
import type { Engine } from "@/play/engine";
import type { InputSink } from "@/play/input/held-controls";
import { listenGamepads } from "@/play/input/gamepad";
import { listenKeyboard } from "@/play/input/keyboard";
import { browserPlatform } from "@/play/platform";

import { touchLayoutFor } from "./touch-layout";
import { controlsByCode, type Keys } from "./keys";
import { handlePrimaryAction, type EnterGuard } from "./use-hotkeys";

const START_BUTTON = 9;
const TAP_VIBRATION_MS = 12;

interface Options {
  engine: Engine;
  game: Game;
  keys: Keys;
  preferences: Preferences;
  touch: boolean;
  enterGuard: EnterGuard;
  /** True while the player chooses a key; the keyboard then belongs to the page. */
  choosingRef: RefObject<boolean>;
}

/**
 * Connects keyboard and gamepads to the game and reports the setup to the server. Returns the
 * connected gamepads.
 */
export function useInput(options: Options): readonly string[] {
  const { engine, game, keys, preferences, touch, enterGuard, choosingRef } = options;
  const [gamepads, setGamepads] = useState<readonly string[]>([]);
  useEffect(() => {
    const use = () => (choosingRef.current ? "free" : engine.keyUse());
    const stop = listenKeyboard(window, controlsByCode(keys), engine.input, use);
    return () => {
      stop();
      engine.input.releaseAll(performance.now());
    };
  }, [engine, keys, choosingRef]);
  useEffect(() => {
    const list = () => navigator.getGamepads();
    const { pad, buttons } = touchLayoutFor(game);
    const names = buttons.map(({ name }) => name);
    const map = { directions: pad ?? {}, buttons: names, steer: game.steer };
    return listenGamepads(browserPlatform, list, map, engine.input, {
      button: (index, at) => {
        const { kind } = engine.getSnapshot().phase;
        if (index === START_BUTTON && kind === "playing") engine.pause();
        else if ((index === START_BUTTON || index === 0) && kind !== "playing") {
          handlePrimaryAction(engine, at, enterGuard);
        }
      },
      connectedPads: setGamepads,
      disconnected: () => engine.pause(),
    });
  }, [engine, game, enterGuard]);
  useEffect(() => {
    const given = Object.fromEntries(Object.entries(keys).map(([name, own]) => [name, [...own]]));
    engine.updateSetup({
      keys: given,
      touch,
      hand: preferences.hand,
      gamepads: [...gamepads],
      sound: preferences.sound,
    });
  }, [engine, keys, touch, preferences.hand, preferences.sound, gamepads]);
  return gamepads;
}

/** Returns the engine's input with a short vibration for each touch press, if enabled. */
export function useScreenControls(input: InputSink, vibrationEnabled: boolean): InputSink {
  return useMemo(() => {
    if (!vibrationEnabled || !("vibrate" in navigator)) return input;
    return {
      ...input,
      press: (control, device, code, at) => {
        if (device === "touch") navigator.vibrate(TAP_VIBRATION_MS);
        input.press(control, device, code, at);
      },
    };
  }, [input, vibrationEnabled]);
}
