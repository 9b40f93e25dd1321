import { useEffect } from "react";

import { jumpTo } from "./jump";
import { setLoopEnd, setLoopStart } from "./transport";
import type { ReplayModel } from "./use-replay";

const SMALL_SKIP_MS = 5000;
const LARGE_SKIP_MS = 10_000;

/** The keys, for the list of keys. Those of asciinema and YouTube where they agree. */
export const KEYS: readonly (readonly [keys: string, meaning: string])[] = [
  [/*i18n*/ "Space or k", /*i18n*/ "Play or pause"],
  [/*i18n*/ ", and .", /*i18n*/ "Previous and next frame"],
  [/*i18n*/ "← and →", /*i18n*/ "5 seconds back and forward"],
  [/*i18n*/ "j and l", /*i18n*/ "10 seconds back and forward"],
  [/*i18n*/ "Shift ← and Shift →", /*i18n*/ "A tenth of the episode back and forward"],
  [/*i18n*/ "0 to 9", /*i18n*/ "Go to 0 % to 90 %"],
  [/*i18n*/ "Home and End", /*i18n*/ "First and last frame"],
  [/*i18n*/ "[ and ]", /*i18n*/ "Previous and next reward, life lost or event"],
  [/*i18n*/ "r and Shift r", /*i18n*/ "Next and previous reward"],
  [/*i18n*/ "d and Shift d", /*i18n*/ "Next and previous life lost"],
  [/*i18n*/ "e and Shift e", /*i18n*/ "Next and previous event"],
  [/*i18n*/ "< and >", /*i18n*/ "Slower and faster"],
  [/*i18n*/ "a and b", /*i18n*/ "Start and end of the loop at this frame"],
  ["x", /*i18n*/ "End the loop"],
  ["p", /*i18n*/ "Skip pauses"],
  ["f", /*i18n*/ "Full screen"],
  ["?", /*i18n*/ "This list"],
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
