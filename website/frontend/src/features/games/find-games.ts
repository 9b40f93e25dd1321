import type { Game } from "@/api/client";

/** Games whose name, summary or tags hold every word, and that have the tag; names that begin so come first. */
export function findGames(games: readonly Game[], words: string, tag: string | null): Game[] {
  const parts = words.toLowerCase().split(/\s+/).filter(Boolean);
  const text = (game: Game) => [game.name, game.summary, ...game.tags].join(" ").toLowerCase();
  const rank = (game: Game) => (game.name.toLowerCase().startsWith(parts[0] ?? "") ? 0 : 1);
  return games
    .filter((game) => tag === null || game.tags.includes(tag))
    .filter((game) => parts.every((part) => text(game).includes(part)))
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** All tags, the most frequent first. */
export function tagsOf(games: readonly Game[]): string[] {
  const counts = new Map<string, number>();
  for (const tag of games.flatMap((game) => game.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts.keys()].sort(
    (a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a.localeCompare(b),
  );
}
