import { useEffect } from "react";

import { jumpTo } from "./jump";
import { setLoopEnd, setLoopStart } from "./transport";
import type { ReplayModel } from "./use-replay";

const SMALL_SKIP_MS = 5000;
const LARGE_SKIP_MS = 10_000;

/** The keys, for the list of keys. Those of asciinema and YouTube where they agree. */
export const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  ["Space or k", "Play or pause"],
  [", and .", "Previous and next frame"],
  ["← and →", "5 seconds back and forward"],
  ["j and l", "10 seconds back and forward"],
  ["Shift ← and Shift →", "A tenth of the episode back and forward"],
  ["0 to 9", "Go to 0 % to 90 %"],
  ["Home and End", "First and last frame"],
  ["[ and ]", "Previous and next reward, life lost or event"],
  ["r and Shift r", "Next and previous reward"],
  ["d and Shift d", "Next and previous life lost"],
  ["e and Shift e", "Next and previous event"],
  ["< and >", "Slower and faster"],
  ["a and b", "Start and end of the loop at this frame"],
  ["x", "End the loop"],
  ["p", "Skip pauses"],
  ["f", "Full screen"],
  ["?", "This list"],
];

/** Handles the keys of the viewer, except in fields; a focused button keeps its space and Enter. */
export function useReplayKeys(
  model: ReplayModel,
  toggleFullScreen: (() => void) | null,
  onHelp: () => void,
): void {
  useEffect(() => {
    const handle = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event)) return;
      if (act(model, event, toggleFullScreen, onHelp)) event.preventDefault();
    };
    addEventListener("keydown", handle);
    return () => removeEventListener("keydown", handle);
  }, [model, toggleFullScreen, onHelp]);
}

function isTyping({ target, key }: KeyboardEvent): boolean {
  if (!(target instanceof Element)) return false;
  if (target.closest("dialog, input, textarea, select, [contenteditable]") !== null) return true;
  return (key === " " || key === "Enter") && target.closest("button, a, summary") !== null;
}

/** Returns whether the key has a meaning. */
function act(
  model: ReplayModel,
  { key, shiftKey }: KeyboardEvent,
  toggleFullScreen: (() => void) | null,
  onHelp: () => void,
): boolean {
  const { player } = model;
  const back = shiftKey ? -1 : 1;
  if (/^[0-9]$/.test(key)) {
    void player.seek((player.lastFrame * Number(key)) / 10);
    return true;
  }
  switch (key.length === 1 ? key.toLowerCase() : key) {
    case " ":
    case "k":
      player.toggle();
      return true;
    case ",":
      void player.step(-1);
      return true;
    case ".":
      void player.step(1);
      return true;
    case "ArrowLeft":
    case "ArrowRight": {
      const by = key === "ArrowLeft" ? -1 : 1;
      if (shiftKey)
        void player.seek(player.state.getSnapshot().frame + (by * player.lastFrame) / 10);
      else void player.skip(by * SMALL_SKIP_MS);
      return true;
    }
    case "j":
      void player.skip(-LARGE_SKIP_MS);
      return true;
    case "l":
      void player.skip(LARGE_SKIP_MS);
      return true;
    case "Home":
      void player.seek(0);
      return true;
    case "End":
      void player.seek(player.lastFrame);
      return true;
    case "[":
      jumpTo(model, "any", -1);
      return true;
    case "]":
      jumpTo(model, "any", 1);
      return true;
    case "r":
      jumpTo(model, "reward", back);
      return true;
    case "d":
      jumpTo(model, "life", back);
      return true;
    case "e":
      jumpTo(model, "event", back);
      return true;
    case "<":
      player.changeSpeed(-1);
      return true;
    case ">":
      player.changeSpeed(1);
      return true;
    case "a":
      setLoopStart(player);
      return true;
    case "b":
      setLoopEnd(player);
      return true;
    case "x":
      player.setLoop(null);
      return true;
    case "p":
      player.setSkipsPauses(!player.state.getSnapshot().skipsPauses);
      return true;
    case "f":
      toggleFullScreen?.();
      return toggleFullScreen !== null;
    case "?":
      onHelp();
      return true;
    default:
      return false;
  }
}
