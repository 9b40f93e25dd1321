import { useEffect, useMemo } from "react";

import type { Engine } from "@/play/engine";

/** Someone who hammers a key as the game ends does not mean the next one yet. */
const ENTER_GUARD_MS = 500;

/** Since when the game stands as it does. */
export interface EnterGuard {
  since: number;
}

/** Start, go on, or play again: whichever the game waits for. */
export function handlePrimaryAction(engine: Engine, at: number, { since }: EnterGuard): void {
  const { kind } = engine.getSnapshot().phase;
  if (kind === "paused") engine.resume();
  else if (kind !== "ended" || at - since > ENTER_GUARD_MS) engine.start();
}

/** Enter starts, goes on and plays again; Escape pauses, unless the game has the key for itself. */
export function useHotkeys(engine: Engine): EnterGuard {
  const enterGuard = useMemo(() => ({ since: 0 }), []);
  useEffect(() => {
    enterGuard.since = performance.now();
    let phase = engine.getSnapshot().phase;
    const unsubscribe = engine.subscribe(() => {
      const next = engine.getSnapshot().phase;
      if (next.kind !== phase.kind) enterGuard.since = performance.now();
      phase = next;
    });
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey)
        return;
      const { kind } = engine.getSnapshot().phase;
      const onButton =
        event.target instanceof Element &&
        event.target.closest("button, a, input, select") !== null;
      if (event.code === "Escape") {
        if (kind === "paused") engine.resume();
        else engine.pause();
      } else if (event.code === "Enter" && !onButton && kind !== "playing") {
        event.preventDefault();
        handlePrimaryAction(engine, event.timeStamp, enterGuard);
      }
    };
    addEventListener("keydown", onKeyDown);
    return () => {
      removeEventListener("keydown", onKeyDown);
      unsubscribe();
    };
  }, [engine, enterGuard]);
  return enterGuard;
}
