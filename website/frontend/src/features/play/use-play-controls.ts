import { type RefObject, useEffect, useMemo, useRef } from "react";

import type { Game, Preferences } from "@/api/client";
import { useHasTouch } from "@/lib/media";
import type { Engine, Snapshot } from "@/play/engine";
import type { InputSink } from "@/play/input/held-controls";

import { effectiveKeys, type Keys } from "./keys";
import { useHotkeys } from "./use-hotkeys";
import { useInput, useScreenControls } from "./use-input";
import { useSound } from "./use-sound";

interface Options {
  engine: Engine;
  game: Game;
  snapshot: Snapshot;
  preferences: Preferences;
  /** Keys that the player has chosen; undefined: those of the game. */
  customKeys?: Record<string, readonly string[]> | undefined;
  /** The game has one try, so no key restarts it. */
  isSingleTry: boolean;
  /** True if no key turns the sound on or off. */
  isSoundFixed?: boolean;
  hasVibration: boolean;
}

/** How the player controls a game. */
export interface PlayControls {
  keys: Keys;
  touch: boolean;
  hand: Preferences["hand"];
  gamepads: readonly string[];
  /** True while the player chooses a key. */
  isChoosingRef: RefObject<boolean>;
  screenInput: InputSink;
}

/** Connects keyboard, gamepads, touch and sound to a game, and scrolls to it when it starts. */
export function usePlayControls(options: Options): PlayControls {
  const { engine, game, snapshot, preferences, customKeys, isSingleTry, hasVibration } = options;
  const { isSoundFixed = false } = options;
  const touch = useHasTouch();
  const keys = useMemo(() => effectiveKeys(game, customKeys), [game, customKeys]);
  const isChoosingRef = useRef(false);
  const enterGuard = useHotkeys(engine, isSingleTry);
  const gamepads = useInput({
    ...{ engine, game, keys, preferences, touch, enterGuard },
    choosingRef: isChoosingRef,
  });
  const screenInput = useScreenControls(engine.input, hasVibration);
  useSound(engine, preferences, snapshot.hasSound && !isSoundFixed);
  const { kind } = snapshot.phase;
  useEffect(() => {
    if (kind === "countdown" || kind === "starting") scrollTo({ top: 0 });
  }, [kind]);
  return { keys, touch, hand: preferences.hand, gamepads, isChoosingRef, screenInput };
}
