import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, type Episode, type ExportTicket } from "./client";

export const gamesQuery = queryOptions({
  queryKey: ["games"],
  queryFn: ({ signal }) => api.games(signal),
  staleTime: 5 * 60_000,
});

export const gameQuery = (id: string) =>
  queryOptions({
    queryKey: ["games", id],
    queryFn: ({ signal }) => api.game(id, signal),
    staleTime: 5 * 60_000,
  });

export const loginMethodQuery = queryOptions({
  queryKey: ["login-method"],
  queryFn: ({ signal }) => api.loginMethod(signal),
  staleTime: Infinity,
});

/** `userId`: whose; null asks nothing. Its own key, so that the next person does not see them. */
export const episodesQuery = (userId: string | null) =>
  queryOptions({
    queryKey: ["episodes", userId],
    queryFn: ({ signal }) => api.episodes(signal),
    enabled: userId !== null,
  });

/** What there is of each game, for researchers. */
export const playedGamesQuery = (userId: string) =>
  queryOptions({
    queryKey: ["research", userId],
    queryFn: ({ signal }) => api.playedGames(signal),
  });

/** How far a download is, each second until it has ended. */
export const exportProgressQuery = (ticket: ExportTicket) =>
  queryOptions({
    queryKey: ["export", ticket.progress],
    queryFn: ({ signal }) => api.exportProgress(ticket, signal),
    refetchInterval: ({ state }) =>
      state.data?.state === "done" || state.data?.state === "failed" ? false : 1000,
    staleTime: 0,
  });

export const EPISODES_PER_PAGE = 25;

/** All rounds of this person, a page at a time, newest first. */
export const episodePagesQuery = (userId: string) =>
  infiniteQueryOptions({
    queryKey: ["episodes", userId, "pages"],
    queryFn: ({ pageParam, signal }) => api.episodePage(pageParam, EPISODES_PER_PAGE, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.length < EPISODES_PER_PAGE ? undefined : page.at(-1)?.id),
  });

/** What this person has played in all. */
export const summaryQuery = (userId: string) =>
  queryOptions({
    queryKey: ["episodes", userId, "summary"],
    queryFn: ({ signal }) => api.summary(signal),
  });

/** Played to its end, and the game as it comes: a slower or easier one is another game. */
const isRanked = ({ status, options }: Episode): boolean =>
  status !== "incomplete" && Object.keys(options).length === 0;

/** Best score of each game. Only what came out the same when it was run again counts as a record. */
export function bestScores(episodes: readonly Episode[]): ReadonlyMap<string, number> {
  const best = new Map<string, number>();
  for (const episode of episodes) {
    const { game_id: id, score, certificate } = episode;
    if (certificate !== "certified" || !isRanked(episode)) continue;
    best.set(id, Math.max(best.get(id) ?? -Infinity, score));
  }
  return best;
}
