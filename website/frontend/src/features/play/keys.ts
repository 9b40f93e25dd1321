import type { Game, Preferences } from "@/api/client";

/** Maps each control to the codes of its keys. */
export type Keys = Readonly<Record<string, readonly string[]>>;

/** Keys reserved for the page and the browser: pause, start, focus, shortcuts. */
const RESERVED_KEYS =
  /^(?:Escape|Enter|Tab|(?:Control|Alt|Meta|OS)(?:Left|Right)?|ContextMenu|F\d+|CapsLock)$/;

/** Returns the game's keys, overridden by the player's. */
export function effectiveKeys(
  game: Pick<Game, "controls">,
  changed: Preferences["keys"][string] = {},
): Keys {
  const keys: Record<string, readonly string[]> = {};
  for (const control of game.controls) keys[control.name] = changed[control.name] ?? control.keys;
  return keys;
}

/** Returns a map from code to control. */
export function controlsByCode(keys: Keys): Map<string, string> {
  return new Map(
    Object.entries(keys).flatMap(([name, codes]) => codes.map((code) => [code, name] as const)),
  );
}

export const isBindable = (code: string): boolean => code !== "" && !RESERVED_KEYS.test(code);

/** Returns the keys with `code` as the only key of `control`, removed from other controls. */
export function bindKey(keys: Keys, control: string, code: string): Record<string, string[]> {
  const bound: Record<string, string[]> = {};
  for (const [name, codes] of Object.entries(keys)) {
    bound[name] = name === control ? [code] : codes.filter((other) => other !== code);
  }
  return bound;
}
