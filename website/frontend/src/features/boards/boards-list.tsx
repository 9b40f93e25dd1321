import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { boardsQuery } from "@/api/boards";
import { coverUrl } from "@/api/client";
import { gamesQuery } from "@/api/queries";
import { Button, buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { writeOptions } from "@/lib/write-options";

import { DailyCard } from "./daily-card";
import { describeSettings } from "./settings-text";

/** All leaderboards, those just played on first. */
export function BoardsList() {
  const { i18n } = useLingui();
  const boards = useQuery(boardsQuery);
  const { data: games } = useQuery(gamesQuery);
  const gameOf = new Map(games?.map((game) => [game.id, game]));
  return (
    <div className="pt-10">
      <Title>{i18n._("Leaderboards")}</Title>
      <h1 className="text-5xl sign sm:text-7xl">{i18n._("Leaderboards")}</h1>
      <p className="mt-3 max-w-prose text-lg text-pretty text-dim">
        {i18n._("Only certified rounds of people who opted in. Every entry opens its replay.")}
      </p>
      <div className="mt-6">
        <DailyCard />
      </div>
      {boards.isPending && (
        <p role="status" className="py-20 text-center text-lg text-dim">
          {i18n._("Loading…")}
        </p>
      )}
      {boards.isError && (
        <Message
          isError
          title={i18n._("Cannot load the leaderboards")}
          action={<Button onClick={() => void boards.refetch()}>{i18n._("Try again")}</Button>}
        >
          {boards.error.message}
        </Message>
      )}
      {boards.data?.length === 0 && (
        <Message
          title={i18n._("No leaderboards yet")}
          action={
            <Link to={paths.games} className={buttonClass("action")}>
              {i18n._("Choose a game")}
            </Link>
          }
        >
          {i18n._("A game has one as soon as somebody ranks in it.")}
        </Message>
      )}
      <ul className="mt-8 grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {boards.data?.map(({ game_id: id, game_name: name, settings }) => {
          const cover = gameOf.get(id)?.cover ?? null;
          return (
            <li key={`${id}?${writeOptions(settings)}`}>
              <Link
                to={paths.board(id, writeOptions(settings))}
                className="flex items-center gap-4 rounded-2xl bg-surface p-4 hover:brightness-110"
              >
                <span className="aspect-[4/3] w-20 shrink-0 overflow-hidden rounded-lg tube">
                  {cover !== null && (
                    <img
                      src={coverUrl(cover)}
                      alt=""
                      loading="lazy"
                      className="size-full object-cover"
                    />
                  )}
                </span>
                <span className="min-w-0">
                  <strong className="block text-lg leading-tight">{name}</strong>
                  <span className="text-dim">{describeSettings(settings, gameOf.get(id))}</span>
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
