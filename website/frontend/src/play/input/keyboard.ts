import type { Cancel } from "../platform";
import type { InputSink } from "./held-controls";

/** KeyboardEvent.code to the control that it presses. */
export type KeyMap = ReadonlyMap<string, string>;

/** Keys after which macOS swallows the release of others. */
const KEYUP_SUPPRESSING_CODES = new Set(["MetaLeft", "MetaRight"]);

/**
 * What the game does with its keys at the moment. taken: they play; guarded: they do nothing, not even scroll,
 * so that a key still hammered after the end does no harm; free: they are the page's.
 */
export type KeyUse = "captured" | "suppressed" | "free";

/** Reports the game's keys at their events. Keys that are taken neither scroll the page nor press a button. */
export function listenKeyboard(
  target: Pick<Window, "addEventListener" | "removeEventListener">,
  keys: KeyMap,
  sink: InputSink,
  keyUse: () => KeyUse,
): Cancel {
  const isCaptured = (event: KeyboardEvent): boolean =>
    keyUse() === "captured" || (keyUse() === "suppressed" && !isOnButton(event));
  const down = (event: KeyboardEvent): void => {
    const control = keys.get(event.code);
    if (control === undefined || isShortcut(event) || isTyping(event) || !isCaptured(event)) return;
    event.preventDefault();
    if (event.repeat || keyUse() !== "captured") return;
    sink.press(control, "keyboard", event.code, event.timeStamp);
  };
  const up = (event: KeyboardEvent): void => {
    if (KEYUP_SUPPRESSING_CODES.has(event.code)) sink.releaseAll(event.timeStamp);
    if (!keys.has(event.code)) return;
    if (!isTyping(event) && isCaptured(event)) event.preventDefault();
    sink.release("keyboard", event.code, event.timeStamp);
  };
  const options = { capture: true };
  target.addEventListener("keydown", down, options);
  target.addEventListener("keyup", up, options);
  return () => {
    target.removeEventListener("keydown", down, options);
    target.removeEventListener("keyup", up, options);
  };
}

/** Ctrl+R and the like stay the browser's. */
function isShortcut(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey;
}

function isTyping(event: KeyboardEvent): boolean {
  return (
    event.target instanceof HTMLInputElement ||
    event.target instanceof HTMLTextAreaElement ||
    event.target instanceof HTMLSelectElement
  );
}

function isOnButton(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("button, a[href]") !== null;
}
