import type { Episode, Game } from "@/api/client";

/** How one round of a game went. */
export interface Round {
  score: number;
  steps: number;
  won: boolean;
}

/** A round by its episode's id, and as what it was played. */
export interface KnownRound extends Round {
  id: string;
  options: Readonly<Record<string, string>>;
}

/**
 * This game's rounds that were played to their end, oldest first; `but`: the one that is on the screen.
 *
 * One that was left is none: in a game whose score only falls it would be the best. Nor is one with another choice.
 * `here`: those that ended on this page, of which the server may not have told yet.
 */
export function roundsOf(
  episodes: readonly Episode[],
  gameId: string,
  options: Readonly<Record<string, string>>,
  but: string | null,
  here: readonly KnownRound[] = [],
): Round[] {
  const told = episodes
    .filter(
      (episode) =>
        episode.game_id === gameId &&
        episode.time_ended !== null &&
        episode.status !== "incomplete" &&
        episode.id !== but &&
        isSame(episode.options, options),
    )
    .map(({ id, score, n_steps: steps, status }) => ({ id, score, steps, won: status === "won" }))
    .reverse();
  const known = new Set(told.map(({ id }) => id));
  const isNew = ({ id, options: played }: KnownRound) =>
    id !== but && !known.has(id) && isSame(played, options);
  return [...told, ...here.filter((round) => isNew(round))].map(({ score, steps, won }) => ({
    score,
    steps,
    won,
  }));
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Best first: by score, and where a game waits for each step, by fewer steps. */
export function compareRounds(game: Pick<Game, "pace">): (a: Round, b: Round) => number {
  const thrift = game.pace.kind === "turn-based" ? 1 : 0;
  return (a, b) => b.score - a.score || thrift * (a.steps - b.steps);
}

/** Better than every round before, of which there must be one. */
export function isRecord(
  game: Pick<Game, "pace">,
  round: Round,
  before: readonly Round[],
): boolean {
  const compare = compareRounds(game);
  return before.length > 0 && before.every((other) => compare(round, other) < 0);
}

/** What was new in a round that was played to its end, a few words each. */
export function newsOf(game: Pick<Game, "pace">, round: Round, before: readonly Round[]): string[] {
  if (before.length === 0) return [round.won ? "Won at the first go" : "Your first score"];
  const news: string[] = [];
  if (isRecord(game, round, before)) news.push("Your best yet");
  if (round.won && !before.some(({ won }) => won)) news.push("Your first win");
  const longest =
    game.pace.kind === "real-time" && before.every(({ steps }) => round.steps > steps);
  if (longest) news.push("Your longest yet");
  return news;
}
