import { useSyncExternalStore } from "react";

import { LocalStorageStore } from "./local-storage-store";
import { usKeyLabel } from "./key-label";

/** Labels of keys by KeyboardEvent.code. */
type KeyLabels = Readonly<Record<string, string>>;

/** Chromium's Keyboard API, which other browsers do not have. */
interface KeyboardApi {
  getLayoutMap: () => Promise<Iterable<readonly [string, string]>>;
}

/**
 * Keys whose label depends on the layout. Digits do not: every layout has them printed on these
 * keys, also where a digit needs Shift.
 */
const LAYOUT_KEYS =
  /^(?:Key[A-Z]|Backquote|Minus|Equal|Bracket(?:Left|Right)|Backslash|Semicolon|Quote|Comma|Period|Slash|Intl(?:Backslash|Ro|Yen))$/;
const MAX_STORED_LABELS = 60;

/** Returns the character as it is printed on a key, or null if it cannot be one. */
function toLabel(character: string): string | null {
  if (!/^\S$/u.test(character)) return null;
  const upper = character.toUpperCase();
  return upper.length === character.length ? upper : character;
}

function readLabels(value: unknown): KeyLabels {
  if (typeof value !== "object" || value === null) return {};
  const entries = Object.entries(value as Record<string, unknown>).flatMap(([code, label]) => {
    const text = typeof label === "string" ? toLabel(label) : null;
    return LAYOUT_KEYS.test(code) && text !== null ? [[code, text] as const] : [];
  });
  return Object.fromEntries(entries.slice(0, MAX_STORED_LABELS));
}

/**
 * Labels of the player's keyboard. A binding is a position (KeyboardEvent.code); its label is, in
 * this order: the character that the key gave when it was pressed, if it is not the one of a US
 * keyboard; the one of the browser's layout map; the one of a US keyboard.
 */
export class KeyboardLayout {
  readonly #pressed = new LocalStorageStore<KeyLabels>("key-labels", readLabels);
  readonly #listeners = new Set<() => void>();
  #layoutMap: KeyLabels = {};
  #version = 0;

  /** Reads the layout map and learns labels from key presses while there are listeners. */
  subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) {
      addEventListener("keydown", this.#onKeyDown, { capture: true });
      void this.#readLayoutMap();
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0)
        removeEventListener("keydown", this.#onKeyDown, { capture: true });
    };
  };

  getVersion = (): number => this.#version;

  label = (code: string): string =>
    this.#pressed.get()[code] ?? this.#layoutMap[code] ?? usKeyLabel(code);

  readonly #onKeyDown = (event: KeyboardEvent): void => {
    const { code } = event;
    if (!LAYOUT_KEYS.test(code) || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const label = toLabel(event.key);
    if (label === null) return;
    const isLetter = label !== label.toLowerCase();
    // With these, other keys than letters give another character than the one without.
    if (!isLetter && (event.shiftKey || event.getModifierState("CapsLock"))) return;
    const { [code]: known, ...others } = this.#pressed.get();
    const learned = label === usKeyLabel(code) ? undefined : label;
    if (learned === known) return;
    this.#pressed.set(learned === undefined ? others : { ...others, [code]: learned });
    this.#notify();
  };

  async #readLayoutMap(): Promise<void> {
    const { keyboard } = navigator as Navigator & { keyboard?: KeyboardApi };
    // It rejects in a frame without permission.
    const map = await keyboard?.getLayoutMap().catch(() => null);
    if (map === undefined || map === null) return;
    this.#layoutMap = readLabels(Object.fromEntries(map));
    this.#notify();
  }

  #notify(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}

const keyboardLayout = new KeyboardLayout();

/** Returns a function that gives the label of a KeyboardEvent.code on the player's keyboard. */
export function useKeyLabel(): (code: string) => string {
  useSyncExternalStore(keyboardLayout.subscribe, keyboardLayout.getVersion);
  return keyboardLayout.label;
}
