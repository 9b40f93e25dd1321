import type { Game, Preferences } from "@/api/client";

/** Control to the codes of its keys, as this person has them. */
export type Keys = Readonly<Record<string, readonly string[]>>;

/** Keys that stay the page's and the browser's: pause, start, walking through the page, shortcuts. */
const RESERVED_KEYS =
  /^(?:Escape|Enter|Tab|(?:Control|Alt|Meta|OS)(?:Left|Right)?|ContextMenu|F\d+|CapsLock)$/;

/** The game's own keys with the person's changes over them. */
export function effectiveKeys(
  game: Pick<Game, "controls">,
  changed: Preferences["keys"][string] = {},
): Keys {
  const keys: Record<string, readonly string[]> = {};
  for (const control of game.controls) keys[control.name] = changed[control.name] ?? control.keys;
  return keys;
}

/** Code to control, for whoever listens to the keyboard. */
export function controlsByCode(keys: Keys): Map<string, string> {
  return new Map(
    Object.entries(keys).flatMap(([name, codes]) => codes.map((code) => [code, name] as const)),
  );
}

export const isBindable = (code: string): boolean => code !== "" && !RESERVED_KEYS.test(code);

/** All keys with `code` as the only one of `control`: another that had it gives it up. */
export function bindKey(keys: Keys, control: string, code: string): Record<string, string[]> {
  const bound: Record<string, string[]> = {};
  for (const [name, codes] of Object.entries(keys)) {
    bound[name] = name === control ? [code] : codes.filter((other) => other !== code);
  }
  return bound;
}
