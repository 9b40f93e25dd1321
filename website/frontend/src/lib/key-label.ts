import { i18n } from "./i18n";

/** Names of keys, which are ids of texts. */
const KEY_NAMES: Record<string, string> = {
  Space: /*i18n*/ "Space",
  Enter: /*i18n*/ "Enter",
  Escape: /*i18n*/ "Esc",
  ShiftLeft: /*i18n*/ "Shift",
  ShiftRight: /*i18n*/ "Right Shift",
  ControlLeft: /*i18n*/ "Ctrl",
  ControlRight: /*i18n*/ "Right Ctrl",
  Tab: /*i18n*/ "Tab",
};

const KEY_SYMBOLS: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Backspace: "⌫",
  Comma: ",",
  Period: ".",
  Slash: "/",
  Backslash: "\\",
  Backquote: "`",
  Semicolon: ";",
  Quote: "'",
  BracketLeft: "[",
  BracketRight: "]",
  Minus: "-",
  Equal: "=",
};

/** Returns the label of a KeyboardEvent.code on a US keyboard. Names of keys are translated. */
export function usKeyLabel(code: string): string {
  const name = KEY_NAMES[code];
  if (name !== undefined) return i18n._(name);
  const plain = /^(?:Key|Digit|Numpad)(.+)$/.exec(code)?.[1];
  return KEY_SYMBOLS[code] ?? plain ?? code;
}
