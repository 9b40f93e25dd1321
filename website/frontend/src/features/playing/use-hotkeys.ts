import { useEffect } from "react";

import type { Engine } from "@/play/engine";

/** Someone who hammers a key as the game ends does not mean the next one yet. */
const SETTLE_MS = 500;

/** Enter starts, goes on and plays again; Escape pauses, unless the game has the key for itself. */
export function useHotkeys(engine: Engine): void {
  useEffect(() => {
    let since = performance.now();
    const off = engine.subscribe(() => {
      since = performance.now();
    });
    const act = (event: KeyboardEvent) => {
      if (event.repeat || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey)
        return;
      const { kind } = engine.getSnapshot().phase;
      const onButton =
        event.target instanceof Element && event.target.closest("button, a, input") !== null;
      if (event.code === "Escape") {
        if (kind === "paused") engine.resume();
        else engine.pause();
      } else if (event.code === "Enter" && !onButton && kind !== "playing") {
        event.preventDefault();
        if (kind === "paused") engine.resume();
        else if (kind !== "ended" || event.timeStamp - since > SETTLE_MS) engine.start();
      }
    };
    addEventListener("keydown", act);
    return () => {
      removeEventListener("keydown", act);
      off();
    };
  }, [engine]);
}
