import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { summaryQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { Button, buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { paths } from "@/config/paths";

import { MyGames } from "./my-games";
import { EpisodeList } from "./episode-list";
import { Totals } from "./totals";

/** Games and episodes of the player. */
export function PlayHistory({ session }: { session: Session }) {
  const { i18n } = useLingui();
  const summary = useQuery(summaryQuery(session.userId));
  return (
    <div className="max-w-5xl pt-10">
      <h1 className="text-6xl sign sm:text-7xl">{i18n._("Your games")}</h1>
      <p className="mt-3 text-lg break-words text-dim">
        {session.email ?? (
          <>
            {i18n._("You play as a guest, on this device only.")}{" "}
            <Link to={paths.upgradeGuest} className="font-semibold text-link underline">
              {i18n._("Create an account")}
            </Link>
          </>
        )}
      </p>
      {summary.isPending && (
        <p role="status" className="py-20 text-center text-lg text-dim">
          {i18n._("Loading…")}
        </p>
      )}
      {summary.isError && (
        <Message
          isError
          title={i18n._("Cannot load your games")}
          action={<Button onClick={() => void summary.refetch()}>{i18n._("Try again")}</Button>}
        >
          {summary.error.message}
        </Message>
      )}
      {summary.data?.episodes === 0 && (
        <Message
          title={i18n._("No games yet")}
          action={
            <Link to={paths.games} className={buttonClass("action")}>
              {i18n._("Choose a game")}
            </Link>
          }
        >
          {i18n._("The games that you play are listed here, with their scores.")}
        </Message>
      )}
      {summary.data !== undefined && summary.data.episodes > 0 && (
        <>
          <Totals summary={summary.data} />
          <MyGames games={summary.data.games} now={summary.dataUpdatedAt} />
          <EpisodeList session={session} games={summary.data.games} />
        </>
      )}
    </div>
  );
}
