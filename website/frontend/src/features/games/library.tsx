import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useRef, useState, type ReactNode } from "react";

import type { Game } from "@/api/client";
import { usePreferences } from "@/api/preferences";
import { bestScores, episodesQuery, gamesQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import { Finder } from "./finder";
import { findGames, partRows, playedLately, tagsOf } from "./find-games";
import { GameCard, GameCardGhost } from "./game-card";
import { Hero } from "./hero";
import { useArrows } from "./use-arrows";

const grid =
  "grid gap-3 min-[360px]:grid-cols-2 sm:gap-x-5 sm:gap-y-7 md:grid-cols-3 xl:grid-cols-4 2xl:grid-cols-5 min-[106rem]:grid-cols-6";
/** Machines that stand there before it is known which: as many as are seen at once. */
const GHOSTS = 12;
/** Cards at the very top that are seen before anybody scrolls, where it matters: on a slow phone. */
const FIRST = 2;

export function Library() {
  const games = useQuery(gamesQuery);
  const session = useSession();
  const episodes = useQuery(episodesQuery(session?.userId ?? null));
  const best = useMemo(() => bestScores(episodes.data ?? []), [episodes.data]);
  const [words, setWords] = useState("");
  const [tag, setTag] = useState<string | null>(null);
  const wanted = useDeferredValue(words);
  const all = games.data ?? [];
  const found = useMemo(() => findGames(games.data ?? [], wanted, tag), [games.data, wanted, tag]);
  const lately = useMemo(
    () => playedLately(episodes.data ?? [], games.data ?? []),
    [episodes.data, games.data],
  );
  const { favourites } = usePreferences();
  const liked = useMemo(() => new Set(favourites), [favourites]);
  const place = useRef<HTMLDivElement>(null);
  useArrows(place);
  const cardsOf = (some: readonly Game[], top: boolean) =>
    some.map((game, at) => (
      <GameCard
        key={game.id}
        game={game}
        best={best.get(game.id) ?? null}
        liked={liked.has(game.id)}
        first={top && at < FIRST}
      />
    ));
  const looking = words !== "" || tag !== null;
  const shelves = [
    { title: "Favourites", games: all.filter(({ id }) => liked.has(id)) },
    { title: "Played lately", games: lately.length > 1 ? lately : [] },
  ].filter(({ games: some }) => some.length > 0 && !looking);
  const { front, others } = useMemo(() => partRows(found), [found]);
  // The first look is at the front row; the many behind it are drawn bit by bit, so that the page answers meanwhile.
  const behind = useDeferredValue(others);
  // The last row is the same one in both, so that its cards stay as the first letter is typed.
  const rows = looking
    ? [{ id: "all", title: "Found", games: found }]
    : [
        { id: "front", title: "The front row", games: front },
        { id: "all", title: "And all the others", games: behind },
      ].filter(({ games: some }) => some.length > 0);
  const clear = () => {
    setWords("");
    setTag(null);
  };

  return (
    <div ref={place}>
      <Hero games={games.isPending ? null : all} last={lately[0]} />
      {games.isError ? (
        <Message
          alarming
          title="The lights are off"
          action={<Button onClick={() => void games.refetch()}>Try again</Button>}
        >
          {games.error.message}
        </Message>
      ) : (
        <>
          {shelves.map(({ title, games: some }, at) => (
            <Row key={title} title={title}>
              {cardsOf(some, at === 0)}
            </Row>
          ))}
          <Finder
            words={words}
            onWords={setWords}
            tags={tagsOf(all)}
            pending={games.isPending}
            tag={tag}
            onTag={setTag}
          />
          <p role="status" className="sr-only">
            {games.isPending ? "Loading the games" : `${found.length} of ${all.length} games`}
          </p>
          {games.isSuccess && found.length === 0 ? (
            <Message
              title={all.length === 0 ? "No games are installed" : "No such game here"}
              action={all.length > 0 && <Button onClick={clear}>Show all games</Button>}
            >
              {all.length === 0
                ? "Whoever runs this arcade adds one by one file in games/manifests."
                : "Try fewer letters, or another tag."}
            </Message>
          ) : games.isSuccess ? (
            rows.map(({ id, title, games: some }) => (
              <Row key={id} title={title} quiet={looking}>
                {cardsOf(some, id === "front" && shelves.length === 0)}
              </Row>
            ))
          ) : (
            <Row title="The front row">
              {Array.from({ length: GHOSTS }, (_, index) => (
                <GameCardGhost key={index} />
              ))}
            </Row>
          )}
        </>
      )}
    </div>
  );
}

interface RowProps {
  title: string;
  /** What they are goes without saying, to who sees them. */
  quiet?: boolean;
  children: ReactNode;
}

/** Machines under a sign. */
function Row({ title, quiet = false, children }: RowProps) {
  return (
    <section aria-label={title} className="mb-10">
      <h2 className={quiet ? "sr-only" : "mb-4 text-3xl sign"}>{title}</h2>
      <ul className={grid}>{children}</ul>
    </section>
  );
}
