import type { Game, Preferences } from "@/api/client";
import { BINDABLE_KEY_CODES } from "@/lib/key-codes";

/** Maps each control to the codes of its keys. */
export type Keys = Readonly<Record<string, readonly string[]>>;

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

/** Returns whether a control may have this key. The page and browsers reserve the other keys. */
export const isBindable = (code: string): boolean => BINDABLE_KEY_CODES.has(code);

/** Returns the keys with `code` as the only key of `control`, removed from other controls. */
export function bindKey(keys: Keys, control: string, code: string): Record<string, string[]> {
  const bound: Record<string, string[]> = {};
  for (const [name, codes] of Object.entries(keys)) {
    bound[name] = name === control ? [code] : codes.filter((other) => other !== code);
  }
  return bound;
}
