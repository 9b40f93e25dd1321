import { useLingui } from "@lingui/react";
import { Link } from "react-router";

import type { AgentScore, ScoreSummary } from "@/api/agents";
import type { Game } from "@/api/client";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";
import { describeOptions } from "@/lib/describe-options";
import { formatCount, formatScore } from "@/lib/format";

import { describeProtocol, describeReason } from "./agent-texts";

interface Props {
  score: AgentScore;
  game: Pick<Game, "options"> | undefined;
}

/** Scores of an agent in a game beside those of people with equal settings, and its replays. */
export function ScoreCard({ score, game }: Props) {
  const { i18n } = useLingui();
  const options = describeOptions(game?.options ?? [], score.options);
  const newest = score.replays[0];
  return (
    <li className="rounded-2xl bg-surface p-5">
      <h3 className="text-xl font-bold">{score.game_name}</h3>
      <p className="mt-1 text-sm text-dim">
        {[
          ...(options === "" ? [] : [options]),
          describeProtocol(score),
          i18n._("version {number}", { number: score.version }),
        ].join(" · ")}
      </p>
      <dl className="mt-4 grid grid-cols-[repeat(auto-fit,minmax(8rem,1fr))] gap-4">
        <Scores term={i18n._("Agent")} scores={score.agent} />
        {score.people !== null && <Scores term={i18n._("People")} scores={score.people} />}
        {score.you !== null && <Scores term={i18n._("You")} scores={score.you} />}
      </dl>
      {score.incomparable !== null && (
        <p className="mt-3 text-sm text-dim">{describeReason(score.incomparable)}</p>
      )}
      <div className="mt-4 flex flex-wrap gap-2">
        {score.replays.map((replay) => (
          <Link key={replay.id} to={paths.replay(replay.id)} className={buttonClass("plain")}>
            {i18n._("Watch round with {score}", { score: formatScore(replay.score) })}
          </Link>
        ))}
        {newest !== undefined && (
          <Link to={paths.race(score.game_id, newest.id, null)} className={buttonClass("action")}>
            {i18n._("Race it")}
            <span className="sr-only"> {score.game_name}</span>
          </Link>
        )}
      </div>
    </li>
  );
}

function Scores({ term, scores }: { term: string; scores: ScoreSummary }) {
  const { i18n } = useLingui();
  return (
    <div>
      <dt className="text-sm text-dim">{term}</dt>
      <dd>
        <span className="block dots text-3xl font-bold tabular-nums">
          {formatScore(scores.median)}
        </span>
        <span className="block text-sm text-dim">
          {i18n._("median of {rounds}, best {best}", {
            rounds: formatCount(scores.episodes, "round"),
            best: formatScore(scores.best),
          })}
        </span>
        {scores.players > 1 && (
          <span className="block text-sm text-dim">{formatCount(scores.players, "player")}</span>
        )}
      </dd>
    </div>
  );
}
