import { useEffect, useMemo } from "react";

import type { Engine } from "@/play/engine";

/** Someone who hammers a key as the game ends does not mean the next one yet. */
const SETTLE_MS = 500;

/** Since when the game stands as it does. */
export interface Patience {
  since: number;
}

/** Start, go on, or play again: whichever the game waits for. */
export function advance(engine: Engine, at: number, { since }: Patience): void {
  const { kind } = engine.getSnapshot().phase;
  if (kind === "paused") engine.resume();
  else if (kind !== "ended" || at - since > SETTLE_MS) engine.start();
}

/** Enter starts, goes on and plays again; Escape pauses, unless the game has the key for itself. */
export function useHotkeys(engine: Engine): Patience {
  const patience = useMemo(() => ({ since: 0 }), []);
  useEffect(() => {
    patience.since = performance.now();
    let phase = engine.getSnapshot().phase;
    const off = engine.subscribe(() => {
      const next = engine.getSnapshot().phase;
      if (next.kind !== phase.kind) patience.since = performance.now();
      phase = next;
    });
    const act = (event: KeyboardEvent) => {
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
        advance(engine, event.timeStamp, patience);
      }
    };
    addEventListener("keydown", act);
    return () => {
      removeEventListener("keydown", act);
      off();
    };
  }, [engine, patience]);
  return patience;
}
