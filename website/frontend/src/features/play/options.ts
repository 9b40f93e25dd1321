import type { Game } from "@/api/client";

export type Options = Readonly<Record<string, string>>;

/** Returns the selected options that the game still offers, without those that are its default. */
export function validOptions(game: Pick<Game, "options">, chosen: Options = {}): Options {
  const entries = game.options.flatMap(
    ({ name, values, default: standard }): [string, string][] => {
      const value = chosen[name];
      const isOffered = value !== undefined && values.includes(value);
      return isOffered && value !== standard ? [[name, value]] : [];
    },
  );
  return Object.fromEntries(entries);
}
