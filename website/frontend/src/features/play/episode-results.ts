import type { Episode, Game } from "@/api/client";

/** How one round of a game went. */
export interface EpisodeResult {
  score: number;
  steps: number;
  won: boolean;
}

/** A round by its episode's id, and as what it was played. */
export interface LocalEpisodeResult extends EpisodeResult {
  id: string;
  options: Readonly<Record<string, string>>;
}

/**
 * This game's rounds that were played to their end, oldest first; `but`: the one that is on the screen.
 *
 * One that was left is none: in a game whose score only falls it would be the best. Nor is one with another choice.
 * `here`: those that ended on this page, of which the server may not have told yet.
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

/** Best first: by score, and where a game waits for each step, by fewer steps. */
export function compareResults(
  game: Pick<Game, "pace">,
): (a: EpisodeResult, b: EpisodeResult) => number {
  const stepWeight = game.pace.kind === "turn-based" ? 1 : 0;
  return (a, b) => b.score - a.score || stepWeight * (a.steps - b.steps);
}

/** Better than every round before, of which there must be one. */
export function isRecord(
  game: Pick<Game, "pace">,
  result: EpisodeResult,
  before: readonly EpisodeResult[],
): boolean {
  const compare = compareResults(game);
  return before.length > 0 && before.every((other) => compare(result, other) < 0);
}

/** What was new in a round that was played to its end, a few words each. */
export function achievementsOf(
  game: Pick<Game, "pace">,
  result: EpisodeResult,
  before: readonly EpisodeResult[],
): string[] {
  if (before.length === 0) return [result.won ? "Won at the first go" : "Your first score"];
  const achievements: string[] = [];
  if (isRecord(game, result, before)) achievements.push("Your best yet");
  if (result.won && !before.some(({ won }) => won)) achievements.push("Your first win");
  const longest =
    game.pace.kind === "real-time" && before.every(({ steps }) => result.steps > steps);
  if (longest) achievements.push("Your longest yet");
  return achievements;
}
