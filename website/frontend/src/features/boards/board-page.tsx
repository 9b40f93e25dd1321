import { Trans, useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useParams, useSearchParams } from "react-router";

import { boardQuery, type Season, SEASONS } from "@/api/boards";
import { gamesQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { Button, buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { writeOptions } from "@/lib/write-options";

import { Countdown } from "./countdown";
import { OptInHint } from "./opt-in-hint";
import { describeSettings } from "./settings-text";
import { Standings } from "./standings";

const SEASON_LABELS: Record<Season, string> = {
  today: /*i18n*/ "Today",
  week: /*i18n*/ "This week",
  all: /*i18n*/ "All time",
};

/** Leaderboard of a game with certain settings, by season. */
export function BoardView() {
  const { i18n } = useLingui();
  const { gameId = "" } = useParams();
  const [parameters] = useSearchParams();
  const season = SEASONS.find((name) => name === parameters.get("season")) ?? "today";
  const settings = parameters.get("settings") ?? "";
  const session = useSession();
  const games = useQuery(gamesQuery);
  const board = useQuery({
    ...boardQuery(session?.userId ?? null, gameId, season, settings),
    placeholderData: (before) => (before?.game_id === gameId ? before : undefined),
  });
  if (board.isPending) {
    return (
      <p role="status" className="py-20 text-center text-lg text-dim">
        {i18n._("Loading…")}
      </p>
    );
  }
  if (board.isLoadingError) {
    return (
      <>
        <Title>{i18n._("Leaderboard not available")}</Title>
        <Message
          isError
          isPage
          title={i18n._("Cannot load the leaderboard")}
          action={<Button onClick={() => void board.refetch()}>{i18n._("Try again")}</Button>}
        >
          {board.error.message}
        </Message>
      </>
    );
  }
  const page = board.data;
  if (page.game_id !== gameId) {
    // a former id
    return <Navigate to={paths.board(page.game_id, writeOptions(page.settings), season)} replace />;
  }
  const game = games.data?.find(({ id }) => id === gameId);
  const others = page.boards.filter(
    (one) => writeOptions(one.settings) !== writeOptions(page.settings),
  );
  return (
    <div className="max-w-5xl pt-10">
      <Title>{i18n._("{game_name}, leaderboard", { game_name: page.game_name })}</Title>
      <p>
        <Link to={paths.boards} className="font-semibold text-link underline">
          {i18n._("All leaderboards")}
        </Link>
      </p>
      <h1 className="mt-2 text-5xl sign text-balance sm:text-7xl">{page.game_name}</h1>
      <p className="mt-3 text-lg text-dim">{describeSettings(page.settings, game)}</p>
      <nav aria-label={i18n._("Season")} className="mt-6 flex flex-wrap gap-2">
        {SEASONS.map((name) => (
          <Link
            key={name}
            to={paths.board(gameId, settings, name)}
            replace
            preventScrollReset
            aria-current={name === season ? "page" : undefined}
            className={buttonClass(name === season ? "action" : "plain")}
          >
            {i18n._(SEASON_LABELS[name])}
          </Link>
        ))}
      </nav>
      {page.time_ends !== null && (
        <p className="mt-3 text-sm text-dim">
          <Trans
            id="Ends in <0/>, at midnight UTC."
            components={[
              <Countdown key="time" until={page.time_ends} onEnd={() => void board.refetch()} />,
            ]}
          />
        </p>
      )}
      {page.rows.length === 0 ? (
        <Message
          title={i18n._("Nobody ranks yet")}
          action={
            <Link to={paths.play(gameId, page.settings)} className={buttonClass("action")}>
              {i18n._("Play {game_name}", { game_name: page.game_name })}
            </Link>
          }
        >
          {i18n._("The first certified round takes the lead.")}
        </Message>
      ) : (
        <>
          <Standings board={page} now={board.dataUpdatedAt} mayWatch />
          <p className="mt-8">
            <Link to={paths.play(gameId, page.settings)} className={buttonClass("action")}>
              {i18n._("Play {game_name}", { game_name: page.game_name })}
            </Link>
          </p>
        </>
      )}
      <OptInHint isListed={page.is_listed} hasOwn={page.own !== null} />
      {others.length > 0 && (
        <section aria-labelledby="other-settings" className="mt-10">
          <h2 id="other-settings" className="text-3xl sign">
            {i18n._("Other settings")}
          </h2>
          <ul className="mt-3 flex flex-wrap gap-2">
            {others.map((one) => (
              <li key={writeOptions(one.settings)}>
                <Link
                  to={paths.board(gameId, writeOptions(one.settings), season)}
                  className={buttonClass("plain")}
                >
                  {describeSettings(one.settings, game)}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
