import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useRef, useState, type ReactNode } from "react";

import type { Game } from "@/api/client";
import { usePreferences } from "@/api/preferences";
import { bestScores, episodesQuery, gamesQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import { SearchBox } from "./search-box";
import { findGames, splitFeatured, recentlyPlayed, tagsByFrequency } from "./find-games";
import { GameCard, GameCardSkeleton } from "./game-card";
import { Hero } from "./hero";
import { useRovingFocus } from "./use-roving-focus";

const gridClass =
  "grid gap-3 min-[360px]:grid-cols-2 sm:gap-x-5 sm:gap-y-7 md:grid-cols-3 xl:grid-cols-4 2xl:grid-cols-5 min-[106rem]:grid-cols-6";
/** Machines that stand there before it is known which: as many as are seen at once. */
const SKELETON_COUNT = 12;
/** Cards at the very top that are seen before anybody scrolls, where it matters: on a slow phone. */
const EAGER_CARD_COUNT = 2;

export function Library() {
  const games = useQuery(gamesQuery);
  const session = useSession();
  const episodes = useQuery(episodesQuery(session?.userId ?? null));
  const best = useMemo(() => bestScores(episodes.data ?? []), [episodes.data]);
  const [query, setQuery] = useState("");
  const [tag, setTag] = useState<string | null>(null);
  const deferredQuery = useDeferredValue(query);
  const all = games.data ?? [];
  const found = useMemo(
    () => findGames(games.data ?? [], deferredQuery, tag),
    [games.data, deferredQuery, tag],
  );
  const recent = useMemo(
    () => recentlyPlayed(episodes.data ?? [], games.data ?? []),
    [episodes.data, games.data],
  );
  const { favourites } = usePreferences();
  const favouriteIds = useMemo(() => new Set(favourites), [favourites]);
  const container = useRef<HTMLDivElement>(null);
  useRovingFocus(container);
  const renderCards = (some: readonly Game[], top: boolean) =>
    some.map((game, at) => (
      <GameCard
        key={game.id}
        game={game}
        best={best.get(game.id) ?? null}
        isFavourite={favouriteIds.has(game.id)}
        isEager={top && at < EAGER_CARD_COUNT}
      />
    ));
  const isSearching = query !== "" || tag !== null;
  const shelves = [
    { title: "Favourites", games: all.filter(({ id }) => favouriteIds.has(id)) },
    { title: "Played lately", games: recent.length > 1 ? recent : [] },
  ].filter(({ games: some }) => some.length > 0 && !isSearching);
  const { featured, others } = useMemo(() => splitFeatured(found), [found]);
  // The first look is at the front row; the many behind it are drawn bit by bit, so that the page answers meanwhile.
  const deferredOthers = useDeferredValue(others);
  // The last row is the same one in both, so that its cards stay as the first letter is typed.
  const rows = isSearching
    ? [{ id: "all", title: "Found", games: found }]
    : [
        { id: "front", title: "The front row", games: featured },
        { id: "all", title: "And all the others", games: deferredOthers },
      ].filter(({ games: some }) => some.length > 0);
  const clearSearch = () => {
    setQuery("");
    setTag(null);
  };

  return (
    <div ref={container}>
      <Hero games={games.isPending ? null : all} lastPlayed={recent[0]} />
      {games.isError ? (
        <Message
          isError
          title="The lights are off"
          action={<Button onClick={() => void games.refetch()}>Try again</Button>}
        >
          {games.error.message}
        </Message>
      ) : (
        <>
          {shelves.map(({ title, games: some }, at) => (
            <Row key={title} title={title}>
              {renderCards(some, at === 0)}
            </Row>
          ))}
          <SearchBox
            query={query}
            onQuery={setQuery}
            tags={tagsByFrequency(all)}
            isPending={games.isPending}
            tag={tag}
            onTag={setTag}
          />
          <p role="status" className="sr-only">
            {games.isPending ? "Loading the games" : `${found.length} of ${all.length} games`}
          </p>
          {games.isSuccess && found.length === 0 ? (
            <Message
              title={all.length === 0 ? "No games are installed" : "No such game here"}
              action={all.length > 0 && <Button onClick={clearSearch}>Show all games</Button>}
            >
              {all.length === 0
                ? "Whoever runs this arcade adds one by one file in games/manifests."
                : "Try fewer letters, or another tag."}
            </Message>
          ) : games.isSuccess ? (
            rows.map(({ id, title, games: some }) => (
              <Row key={id} title={title} isHeadingHidden={isSearching}>
                {renderCards(some, id === "front" && shelves.length === 0)}
              </Row>
            ))
          ) : (
            <Row title="The front row">
              {Array.from({ length: SKELETON_COUNT }, (_, index) => (
                <GameCardSkeleton key={index} />
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
  isHeadingHidden?: boolean;
  children: ReactNode;
}

/** Machines under a sign. */
function Row({ title, isHeadingHidden = false, children }: RowProps) {
  return (
    <section aria-label={title} className="mb-10">
      <h2 className={isHeadingHidden ? "sr-only" : "mb-4 text-3xl sign"}>{title}</h2>
      <ul className={gridClass}>{children}</ul>
    </section>
  );
}
