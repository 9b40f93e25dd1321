import type { Episode, Game } from "@/api/client";

/** How one round of a game went. */
export interface Round {
  score: number;
  steps: number;
}

/** This game's finished rounds, oldest first; `but`: the one that is on the screen. */
export function roundsOf(
  episodes: readonly Episode[],
  gameId: string,
  but: string | null,
): Round[] {
  return episodes
    .filter(
      ({ id, game_id, time_ended }) => game_id === gameId && time_ended !== null && id !== but,
    )
    .map(({ score, n_steps: steps }) => ({ score, steps }))
    .reverse();
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
