import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { useDeferredValue, useMemo, useRef, useState, type ReactNode } from "react";

import type { Game } from "@/api/client";
import { usePreferences } from "@/api/preferences";
import { bestScores, episodesQuery, gamesQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { idsOf } from "@/lib/game-ids";

import { SearchBox } from "./search-box";
import { findGames, splitFeatured, recentlyPlayed, tagsByFrequency } from "./find-games";
import { GameCard, GameCardSkeleton } from "./game-card";
import { Hero } from "./hero";
import { useRovingFocus } from "./use-roving-focus";

const gridClass =
  "grid gap-3 min-[360px]:grid-cols-2 sm:gap-x-5 sm:gap-y-7 md:grid-cols-3 xl:grid-cols-4 2xl:grid-cols-5 min-[106rem]:grid-cols-6";
/** Number of placeholder cards while the games load. */
const SKELETON_COUNT = 12;
/** Number of cards that are visible at once on a phone. */
const EAGER_CARD_COUNT = 2;

/** `children` are shown between the heading and the games. */
export function Library({ children }: { children?: ReactNode }) {
  const { i18n } = useLingui();
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
  const isFavourite = (game: Game) => idsOf(game).some((id) => favouriteIds.has(id));
  const container = useRef<HTMLDivElement>(null);
  useRovingFocus(container);
  const renderCards = (some: readonly Game[], top: boolean) =>
    some.map((game, at) => (
      <GameCard
        key={game.id}
        game={game}
        best={best.get(game.id) ?? null}
        isFavourite={isFavourite(game)}
        isEager={top && at < EAGER_CARD_COUNT}
      />
    ));
  const isSearching = query !== "" || tag !== null;
  const sections = [
    { title: i18n._("Favourites"), games: all.filter(isFavourite) },
    { title: i18n._("Recently played"), games: recent.length > 1 ? recent : [] },
  ].filter(({ games: some }) => some.length > 0 && !isSearching);
  const { featured, others } = useMemo(() => splitFeatured(found), [found]);
  // The featured games are rendered first. The other cards are deferred, so that the page stays
  // responsive.
  const deferredOthers = useDeferredValue(others);
  // The last row has the same id in both cases, so that its cards are reused when a search starts.
  const rows = isSearching
    ? [{ id: "all", title: i18n._("Search results"), games: found }]
    : [
        { id: "front", title: i18n._("The front row"), games: featured },
        { id: "all", title: i18n._("All games"), games: deferredOthers },
      ].filter(({ games: some }) => some.length > 0);
  const clearSearch = () => {
    setQuery("");
    setTag(null);
  };

  return (
    <div ref={container}>
      <Hero games={games.isPending ? null : all} lastPlayed={recent[0]} />
      {children}
      {games.isLoadingError ? (
        <Message
          isError
          title={i18n._("Cannot load the games")}
          action={<Button onClick={() => void games.refetch()}>{i18n._("Try again")}</Button>}
        >
          {games.error.message}
        </Message>
      ) : (
        <>
          {sections.map(({ title, games: some }, at) => (
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
            {games.isPending
              ? i18n._("Loading…")
              : i18n._("{found} of {count} games", {
                  found: i18n.number(found.length),
                  count: i18n.number(all.length),
                })}
          </p>
          {games.isSuccess && found.length === 0 ? (
            <Message
              title={all.length === 0 ? i18n._("No games are installed") : i18n._("No games found")}
              action={
                all.length > 0 && <Button onClick={clearSearch}>{i18n._("Show all games")}</Button>
              }
            >
              {all.length === 0
                ? i18n._("The operator of this site adds a game with a file in games/manifests.")
                : i18n._("Try a shorter search or another tag.")}
            </Message>
          ) : games.isSuccess ? (
            rows.map(({ id, title, games: some }) => (
              <Row key={id} title={title} isHeadingHidden={isSearching}>
                {renderCards(some, id === "front" && sections.length === 0)}
              </Row>
            ))
          ) : (
            <Row title={i18n._("The front row")}>
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
  /** Hides the heading visually. */
  isHeadingHidden?: boolean;
  children: ReactNode;
}

/** A row of games with a heading. */
function Row({ title, isHeadingHidden = false, children }: RowProps) {
  return (
    <section aria-label={title} className="mb-10">
      <h2 className={isHeadingHidden ? "sr-only" : "mb-4 text-3xl sign"}>{title}</h2>
      <ul className={gridClass}>{children}</ul>
    </section>
  );
}
