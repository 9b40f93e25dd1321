import { i18n } from "@/lib/i18n";
import type { Episode, Game } from "@/api/client";

/** Result of one episode. */
export interface EpisodeResult {
  /** null: not a number or infinite, which the API does not distinguish. */
  score: number | null;
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
 * so are episodes with other options, and those that begin at a recorded frame. `local` are the episodes that ended on this page, which the
 * server may not list yet.
 */
export function finishedEpisodes(
  episodes: readonly Episode[],
  gameId: string,
  options: Readonly<Record<string, string>>,
  excludedId: string | null,
  local: readonly LocalEpisodeResult[] = [],
): EpisodeResult[] {
  const listed = listFinished(episodes, gameId, options)
    .filter(({ id }) => id !== excludedId)
    .map(({ id, score, n_steps: steps, status }) => ({
      id,
      score: Number(score),
      steps,
      won: status === "won",
    }))
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

/** Returns the finished episodes of this game with these options, newest first. */
function listFinished(
  episodes: readonly Episode[],
  gameId: string,
  options: Readonly<Record<string, string>>,
): Episode[] {
  return episodes.filter(
    (episode) =>
      episode.game_id === gameId &&
      episode.time_ended !== null &&
      episode.status !== "incomplete" &&
      !episode.is_branch &&
      !episode.with_agent &&
      hasSameOptions(episode.options, options),
  );
}

/** Returns the best finished episode of this game with these options, or null if there is none. */
export function bestEpisode(
  game: Pick<Game, "id" | "pace">,
  episodes: readonly Episode[],
  options: Readonly<Record<string, string>>,
): Episode | null {
  const compare = compareResults(game);
  const resultOf = ({ score, n_steps: steps, status }: Episode): EpisodeResult => ({
    score: Number(score),
    steps,
    won: status === "won",
  });
  const [best = null] = listFinished(episodes, game.id, options).sort((a, b) =>
    compare(resultOf(a), resultOf(b)),
  );
  return best;
}

function hasSameOptions(
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Rank of a score: the greater, the better. Scores that are not numbers come last. */
const rankOf = (score: number | null): number =>
  score === null || Number.isNaN(score) ? -Infinity : score;

/** Returns the best score, or null if there is none that is a number. */
export function bestScore(results: readonly EpisodeResult[]): number | null {
  const scores = results.flatMap(({ score }) => (score === null ? [] : [score]));
  return scores.reduce<number | null>(
    (best, score) => (Number.isNaN(score) || (best !== null && best >= score) ? best : score),
    null,
  );
}

/** Compares by score (best first) and, in turn-based games, by fewer steps. */
export function compareResults(
  game: Pick<Game, "pace">,
): (a: EpisodeResult, b: EpisodeResult) => number {
  const stepWeight = game.pace.kind === "turn-based" ? 1 : 0;
  return (a, b) => {
    const [rankA, rankB] = [rankOf(a.score), rankOf(b.score)];
    return rankA === rankB ? stepWeight * (a.steps - b.steps) : rankA > rankB ? -1 : 1;
  };
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
  if (before.length === 0)
    return [result.won ? i18n._("Won on the first try") : i18n._("Your first score")];
  const achievements: string[] = [];
  if (isRecord(game, result, before)) achievements.push(i18n._("New best score"));
  if (result.won && !before.some(({ won }) => won)) achievements.push(i18n._("First win"));
  const longest =
    game.pace.kind === "real-time" && before.every(({ steps }) => result.steps > steps);
  if (longest) achievements.push(i18n._("Longest game"));
  return achievements;
}
