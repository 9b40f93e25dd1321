import type { Episode, Game } from "@/api/client";
import { idsOf } from "@/lib/game-ids";
import { translateGameText } from "@/lib/game-texts";

import { FEATURED_GAMES } from "./featured-games";

/** Letters, digits and the × of "8 × 8", so that "Fetch, 5 × 5" is found as it is written. */
const WORD = /[\p{L}\p{N}×]+/gu;

/** Returns what a game is found by: also its options and its former ids. */
function searchText(game: Game): string {
  const options = game.options
    .filter((option) => option.default !== null)
    .flatMap(({ label, values, labels }) => [label, ...values, ...labels]);
  const texts = [game.summary, ...options];
  return [game.name, ...texts, ...texts.map(translateGameText), ...game.tags, ...idsOf(game)]
    .join(" ")
    .toLowerCase();
}

/**
 * Returns the games whose name, summary, tags, sizes or former ids contain every word and that have
 * the tag. Names that start with the first word come first.
 */
export function findGames(games: readonly Game[], words: string, tag: string | null): Game[] {
  const parts = words.toLowerCase().match(WORD) ?? [];
  const rank = (game: Game) => (game.name.toLowerCase().startsWith(parts[0] ?? "") ? 0 : 1);
  return games
    .filter((game) => tag === null || game.tags.includes(tag))
    .filter((game) => parts.every((part) => searchText(game).includes(part)))
    .sort((a, b) => rank(a) - rank(b) || byName(a, b));
}

/** Sorts names that start with a digit last. */
function byName(a: Game, b: Game): number {
  const figure = (game: Game) => Number(/^\d/.test(game.name));
  return figure(a) - figure(b) || a.name.localeCompare(b.name, "en", { numeric: true });
}

/** Splits games into the featured ones in their order and all others. */
export function splitFeatured(games: readonly Game[]): { featured: Game[]; others: Game[] } {
  const featured = FEATURED_GAMES.flatMap((id) => games.find((game) => game.id === id) ?? []);
  const shown = new Set(featured);
  return { featured, others: games.filter((game) => !shown.has(game)) };
}

/** Returns all tags, most frequent first. */
export function tagsByFrequency(games: readonly Game[]): string[] {
  const counts = new Map<string, number>();
  for (const tag of games.flatMap((game) => game.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts.keys()].sort(
    (a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a.localeCompare(b),
  );
}

const MAX_RECENT_GAMES = 4;

/** Returns the most recently played games without duplicates. */
export function recentlyPlayed(episodes: readonly Episode[], games: readonly Game[]): Game[] {
  const ids = [...new Set(episodes.map((episode) => episode.game_id))];
  return ids.flatMap((id) => games.find((game) => game.id === id) ?? []).slice(0, MAX_RECENT_GAMES);
}
