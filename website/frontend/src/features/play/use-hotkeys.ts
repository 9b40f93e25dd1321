import { useEffect, useMemo } from "react";

import type { Engine } from "@/play/engine";

/**
 * Time after the end of an episode in which Enter is ignored, so that a key still pressed does not
 * start the next one.
 */
const ENTER_GUARD_MS = 500;

/** Time of the last phase change, and whether a new episode may follow one that has ended. */
export interface EnterGuard {
  since: number;
  isSingleEpisode: boolean;
}

/** Starts, resumes or restarts the game, depending on the phase. */
export function handlePrimaryAction(engine: Engine, at: number, guard: EnterGuard): void {
  const { kind } = engine.getSnapshot().phase;
  if (kind === "paused") engine.resume();
  else if (kind !== "ended" || (!guard.isSingleEpisode && at - guard.since > ENTER_GUARD_MS)) {
    engine.start();
  }
}

/** Enter starts or resumes the game and Escape pauses it, unless the game uses these keys. */
export function useHotkeys(engine: Engine, isSingleEpisode = false): EnterGuard {
  const enterGuard = useMemo(() => ({ since: 0, isSingleEpisode }), [isSingleEpisode]);
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
