import type { Game } from "@/api/client";

export type Options = Readonly<Record<string, string>>;

/** Returns the selected options that the game still offers. */
export function validOptions(game: Pick<Game, "options">, chosen: Options = {}): Options {
  const entries = game.options.flatMap(({ name, values }): [string, string][] => {
    const value = chosen[name];
    return value !== undefined && values.includes(value) ? [[name, value]] : [];
  });
  return Object.fromEntries(entries);
}

/** Describes the selected options, such as "Mode 4, Speed 0.5×"; empty if none is selected. */
export function describeOptions(game: Pick<Game, "options">, options: Options): string {
  return game.options
    .filter(({ name }) => options[name] !== undefined)
    .map(({ name, label }) => `${label} ${formatOptionValue(name, options[name] ?? "")}`)
    .join(", ");
}

export const formatOptionValue = (name: string, value: string): string =>
  name === "speed" ? `${value}×` : value;
