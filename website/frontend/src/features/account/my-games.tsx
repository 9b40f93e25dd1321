import { Trans, useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { coverUrl, type GameSummary } from "@/api/client";
import { gamesQuery } from "@/api/queries";
import { paths } from "@/config/paths";
import { formatCount, formatDuration, formatScore, formatTimeAgo } from "@/lib/format";
import { writeOptions } from "@/lib/write-options";

import { ChosenOptions } from "./chosen-options";

/** Played games with play time, number of episodes and best score. */
export function MyGames({ games, now }: { games: readonly GameSummary[]; now: number }) {
  const { i18n } = useLingui();
  const { data } = useQuery(gamesQuery);
  const gameOf = new Map(data?.map((game) => [game.id, game]));
  return (
    <section aria-labelledby="by-game">
      <h2 id="by-game" className="text-4xl sign">
        {i18n._("By game")}
      </h2>
      <ul className="mt-4 grid gap-3 md:grid-cols-2 xl:grid-cols-3">
        {games.map((game) => (
          <li
            key={`${game.game_id}?${writeOptions(game.options)}`}
            className="flex gap-4 rounded-2xl bg-surface p-4"
          >
            <Cover address={gameOf.get(game.game_id)?.cover ?? null} />
            <div className="min-w-0">
              <Link
                to={paths.play(game.game_id, game.options)}
                className="rounded text-lg leading-tight font-bold hover:underline"
              >
                {game.game_name}
                <ChosenOptions game={gameOf.get(game.game_id)} options={game.options} />
              </Link>
              <p className="mt-1 text-dim">
                {game.best === null ? i18n._("No score yet") : <Best score={Number(game.best)} />}
              </p>
              <p className="mt-1 text-sm text-dim">
                {formatCount(game.episodes, "round")}
                {game.won > 0 && i18n._(", {score} won", { score: formatScore(game.won) })},{" "}
                {formatDuration(game.seconds)},{" "}
                <time dateTime={game.last_played}>{formatTimeAgo(game.last_played, now)}</time>
              </p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

const Best = ({ score }: { score: number }) => (
  <Trans
    id="<0>{score}</0> best"
    values={{ score: formatScore(score) }}
    components={[<span key="score" className="dots text-3xl text-ink" />]}
  />
);

/** Cover picture. Its space is reserved while it loads. */
function Cover({ address }: { address: string | null }) {
  return (
    <div className="aspect-[4/3] w-24 shrink-0 self-start overflow-hidden rounded-lg tube">
      {address !== null && (
        <img src={coverUrl(address)} alt="" loading="lazy" className="size-full object-cover" />
      )}
    </div>
  );
}
