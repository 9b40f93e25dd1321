import type { I18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Episode, GameSummary } from "@/api/client";
import { episodePagesQuery, gamesQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { Button } from "@/components/button";
import { paths } from "@/config/paths";
import { formatCount, formatScore, formatTimeAgo } from "@/lib/format";
import { writeOptions } from "@/lib/write-options";

import { ChosenOptions } from "./chosen-options";

const OUTCOMES: Record<Episode["status"], string> = {
  won: /*i18n*/ "Won",
  lost: /*i18n*/ "Lost",
  incomplete: /*i18n*/ "Quit",
};

const dottedClass =
  "[&>*+*]:before:mx-2 [&>*+*]:before:content-['·'] lg:[&>*+*]:before:content-none";

/** Describes the certification of an episode. */
function certificateStatus(i18n: I18n, { certificate, time_ended: ended }: Episode): string {
  if (certificate === "certified") return i18n._("certified");
  if (certificate !== null) return i18n._("not certified");
  return ended === null ? i18n._("running") : i18n._("recorded");
}

/** All rounds, newest first, a page at a time. */
export function EpisodeList({
  session,
  games,
}: {
  session: Session;
  games: readonly GameSummary[];
}) {
  const { i18n } = useLingui();
  const pages = useInfiniteQuery(episodePagesQuery(session.userId));
  const keyOf = (played: Pick<Episode, "game_id" | "options">) =>
    `${played.game_id}?${writeOptions(played.options)}`;
  const best = new Map(games.map((game) => [keyOf(game), game.best]));
  const { data: catalogue } = useQuery(gamesQuery);
  const gameOf = new Map(catalogue?.map((game) => [game.id, game]));
  const isBest = (episode: Episode) =>
    episode.certificate === "certified" &&
    episode.status !== "incomplete" &&
    best.get(keyOf(episode)) === episode.score;
  const shown = pages.data?.pages.flat() ?? [];
  return (
    <section aria-labelledby="rounds" className="mt-12">
      <h2 id="rounds" className="text-4xl sign">
        {i18n._("All rounds")}
      </h2>
      <p className="mt-2 max-w-prose text-dim">
        {i18n._(
          "A round is certified once a re-run of its recording gave identical results, frame for frame.",
        )}
      </p>
      <ul className="mt-4 divide-y divide-line/60 border-y border-line/60">
        {shown.map((episode) => (
          <li
            key={episode.id}
            className="grid grid-cols-[1fr_auto] items-baseline gap-x-4 gap-y-1 py-3.5 lg:flex"
          >
            <Link
              to={paths.play(episode.game_id, episode.options)}
              className="flex-1 rounded text-lg font-bold hover:underline"
            >
              {episode.game_name}
              <ChosenOptions game={gameOf.get(episode.game_id)} options={episode.options} />
            </Link>
            {episode.n_steps > 0 && (
              <Link
                to={paths.replay(episode.id)}
                className="order-last col-span-2 justify-self-start rounded font-semibold text-link underline lg:w-32 lg:text-right"
              >
                {i18n._("Watch replay")}
                <span className="sr-only"> {episode.game_name}</span>
              </Link>
            )}
            <span className="text-right text-lg font-bold whitespace-nowrap lg:w-40">
              {isBest(episode) && <span className="mr-2 text-sm text-link">{i18n._("best")}</span>}
              {formatScore(episode.score)}
            </span>
            {/* A line of its own where there is no room for columns. */}
            <p className={`col-span-2 flex flex-wrap text-dim lg:contents ${dottedClass}`}>
              <span className="lg:w-16">{i18n._(OUTCOMES[episode.status])}</span>
              <span className="lg:w-28">{certificateStatus(i18n, episode)}</span>
              <span className="lg:w-28 lg:text-right">{formatCount(episode.n_steps, "step")}</span>
              <time dateTime={episode.time_created} className="lg:w-48 lg:text-right">
                {formatTimeAgo(episode.time_created, pages.dataUpdatedAt)}
              </time>
            </p>
          </li>
        ))}
      </ul>
      {pages.isError && (
        <p role="alert" className="mt-4 text-dim">
          {pages.error.message}
        </p>
      )}
      {(pages.hasNextPage || pages.isError) && (
        <Button
          look="plain"
          className="mt-6"
          disabled={pages.isFetching}
          onClick={() => void (pages.isError ? pages.refetch() : pages.fetchNextPage())}
        >
          {pages.isFetching
            ? i18n._("Loading…")
            : pages.isError
              ? i18n._("Try again")
              : i18n._("Older rounds")}
        </Button>
      )}
    </section>
  );
}
