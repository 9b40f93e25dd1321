import type { Cancel } from "../platform";
import type { InputSink } from "./held-controls";

/** Maps KeyboardEvent.code to a control. */
export type KeyMap = ReadonlyMap<string, string>;

/** While these keys are down, macOS sends no keyup events for other keys. */
const KEYUP_SUPPRESSING_CODES = new Set(["MetaLeft", "MetaRight"]);

/**
 * How the game uses its keys. captured: they play. suppressed: they do nothing and do not scroll
 * the page, so that a key still pressed after the end has no effect. free: they belong to the page.
 */
export type KeyUse = "captured" | "suppressed" | "free";

/**
 * Reports presses and releases of the game's keys. Captured keys neither scroll the page nor press
 * a button.
 */
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

/** Shortcuts such as Ctrl+R belong to the browser. */
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
