import type { ReactNode } from "react";

import type { Game } from "@/api/client";
import { formatCount, formatScore } from "@/lib/format";
import type { Phase } from "@/play/engine";

import { achievementsOf, type EpisodeResult } from "./episode-results";
import { ScoreCurve } from "./score-curve";

interface Props {
  phase: Extract<Phase, { kind: "ended" }>;
  game: Game;
  /** Results of earlier episodes, oldest first; null: this one does not compare with them. */
  results: readonly EpisodeResult[] | null;
  children: ReactNode;
}

const TITLES = { won: "You won!", lost: "Game over", incomplete: "Game ended" } as const;

/** Result of an episode: status, score and comparison with earlier episodes. */
export function EpisodeEnd({ phase, game, results, children }: Props) {
  const isFinished = phase.status !== "incomplete";
  const achieved =
    isFinished && results !== null
      ? achievementsOf(game, { ...phase, won: phase.status === "won" }, results)
      : [];
  const scores = (results ?? []).map(({ score }) => score);
  return (
    <div data-testid="ending" data-status={phase.status}>
      <h2 className="text-[clamp(2.5rem,7vw,5rem)] sign">{TITLES[phase.status]}</h2>
      {game.show.score && (
        <p className="mt-2 dots text-[clamp(2.75rem,8vw,5rem)] leading-none text-phosphor">
          {formatScore(phase.score)}
        </p>
      )}
      <p className="mt-2 text-dim">
        {achieved.map((word) => (
          <strong
            key={word}
            className="mr-2 inline-block rounded-full bg-teal px-3 py-1 text-on-bright"
          >
            {word}
          </strong>
        ))}
        {formatCount(phase.steps, "step")}
      </p>
      {game.show.score && <ScoreCurve scores={isFinished ? [...scores, phase.score] : scores} />}
      {children}
    </div>
  );
}
