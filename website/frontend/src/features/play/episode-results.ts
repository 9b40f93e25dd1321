import type { Episode, Game } from "@/api/client";

/** Result of one episode. */
export interface EpisodeResult {
  score: number;
  steps: number;
  won: boolean;
}

/** Result of an episode that ended on this page. */
export interface LocalEpisodeResult extends EpisodeResult {
  id: string;
  options: Readonly<Record<string, string>>;
}

/**
 * Returns the results of this game's finished episodes, oldest first, without `excludedId`.
 *
 * Abandoned episodes are excluded (in games whose score only decreases they would rank first), and
 * so are episodes with other options. `local` are the episodes that ended on this page, which the
 * server may not list yet.
 */
export function finishedEpisodes(
  episodes: readonly Episode[],
  gameId: string,
  options: Readonly<Record<string, string>>,
  excludedId: string | null,
  local: readonly LocalEpisodeResult[] = [],
): EpisodeResult[] {
  const listed = episodes
    .filter(
      (episode) =>
        episode.game_id === gameId &&
        episode.time_ended !== null &&
        episode.status !== "incomplete" &&
        episode.id !== excludedId &&
        hasSameOptions(episode.options, options),
    )
    .map(({ id, score, n_steps: steps, status }) => ({ id, score, steps, won: status === "won" }))
    .reverse();
  const known = new Set(listed.map(({ id }) => id));
  const isNew = ({ id, options: played }: LocalEpisodeResult) =>
    id !== excludedId && !known.has(id) && hasSameOptions(played, options);
  return [...listed, ...local.filter((result) => isNew(result))].map(({ score, steps, won }) => ({
    score,
    steps,
    won,
  }));
}

function hasSameOptions(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Compares by score (best first) and, in turn-based games, by fewer steps. */
export function compareResults(
  game: Pick<Game, "pace">,
): (a: EpisodeResult, b: EpisodeResult) => number {
  const stepWeight = game.pace.kind === "turn-based" ? 1 : 0;
  return (a, b) => b.score - a.score || stepWeight * (a.steps - b.steps);
}

/** Returns whether a result beats all earlier ones. Without earlier results it is no record. */
export function isRecord(
  game: Pick<Game, "pace">,
  result: EpisodeResult,
  before: readonly EpisodeResult[],
): boolean {
  const compare = compareResults(game);
  return before.length > 0 && before.every((other) => compare(result, other) < 0);
}

/** Returns short descriptions of what the player achieved for the first time. */
export function achievementsOf(
  game: Pick<Game, "pace">,
  result: EpisodeResult,
  before: readonly EpisodeResult[],
): string[] {
  if (before.length === 0) return [result.won ? "Won on the first try" : "Your first score"];
  const achievements: string[] = [];
  if (isRecord(game, result, before)) achievements.push("New best score");
  if (result.won && !before.some(({ won }) => won)) achievements.push("First win");
  const longest =
    game.pace.kind === "real-time" && before.every(({ steps }) => result.steps > steps);
  if (longest) achievements.push("Longest game");
  return achievements;
}
