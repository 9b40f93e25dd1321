interface Named {
  id: string;
  aliases: readonly { id: string; options: Readonly<Record<string, string>> }[];
}

/** Returns the id of a game and its former ids, under which preferences may be stored. */
export const idsOf = ({ id, aliases }: Named): string[] => [
  id,
  ...aliases.map((alias) => alias.id),
];

/** Returns the options that a former id stands for; none for the game's own id. */
export const optionsOfId = (game: Named, id: string): Readonly<Record<string, string>> =>
  game.aliases.find((alias) => alias.id === id)?.options ?? {};

/** Returns what is stored for a game, under its id or a former one. */
export const storedFor = <T>(stored: Readonly<Record<string, T>>, game: Named): T | undefined =>
  idsOf(game).flatMap((id) => stored[id] ?? [])[0];
