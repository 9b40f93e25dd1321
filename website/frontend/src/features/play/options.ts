import type { Game } from "@/api/client";

export type Options = Readonly<Record<string, string>>;

/** What the person chose, as far as the game still offers it. */
export function validOptions(game: Pick<Game, "options">, chosen: Options = {}): Options {
  const entries = game.options.flatMap(({ name, values }): [string, string][] => {
    const value = chosen[name];
    return value !== undefined && values.includes(value) ? [[name, value]] : [];
  });
  return Object.fromEntries(entries);
}

/** The choice in words: "Mode 4, speed 0.5×"; nothing chosen: nothing to say. */
export function describeOptions(game: Pick<Game, "options">, options: Options): string {
  return game.options
    .filter(({ name }) => options[name] !== undefined)
    .map(({ name, label }) => `${label} ${formatOptionValue(name, options[name] ?? "")}`)
    .join(", ");
}

export const formatOptionValue = (name: string, value: string): string =>
  name === "speed" ? `${value}×` : value;
