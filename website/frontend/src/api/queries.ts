import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, type Episode, type ExportTicket } from "./client";

export const gamesQuery = queryOptions({
  queryKey: ["games"],
  queryFn: ({ signal }) => api.games(signal),
  staleTime: 5 * 60_000,
});

/** A game that is open stays as it was opened, because another description would begin it anew. */
export const gameQuery = (id: string) =>
  queryOptions({
    queryKey: ["games", id],
    queryFn: ({ signal }) => api.game(id, signal),
    staleTime: 5 * 60_000,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

export const loginMethodQuery = queryOptions({
  queryKey: ["login-method"],
  queryFn: ({ signal }) => api.loginMethod(signal),
  staleTime: Infinity,
});

/**
 * No request is sent if `userId` is null. The key contains it, so that the next user does not see
 * the data.
 */
export const episodesQuery = (userId: string | null) =>
  queryOptions({
    queryKey: ["episodes", userId],
    queryFn: ({ signal }) => api.episodes(signal),
    enabled: userId !== null,
  });

/** Recordings per game, for researchers. */
export const playedGamesQuery = (userId: string) =>
  queryOptions({
    queryKey: ["research", userId],
    queryFn: ({ signal }) => api.playedGames(signal),
  });

/** Progress of a download, refetched each second until it ends. */
export const exportProgressQuery = (ticket: ExportTicket) =>
  queryOptions({
    queryKey: ["export", ticket.progress],
    queryFn: ({ signal }) => api.exportProgress(ticket, signal),
    refetchInterval: ({ state }) =>
      ["done", "ready", "failed"].includes(state.data?.state ?? "") ? false : 1000,
    staleTime: 0,
  });

export const EPISODES_PER_PAGE = 25;

/** All episodes of a player, newest first, in pages. */
export const episodePagesQuery = (userId: string) =>
  infiniteQueryOptions({
    queryKey: ["episodes", userId, "pages"],
    queryFn: ({ pageParam, signal }) => api.episodePage(pageParam, EPISODES_PER_PAGE, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => (page.length < EPISODES_PER_PAGE ? undefined : page.at(-1)?.id),
  });

/** Totals of a player. */
export const summaryQuery = (userId: string) =>
  queryOptions({
    queryKey: ["episodes", userId, "summary"],
    queryFn: ({ signal }) => api.summary(signal),
  });

/** Only finished episodes with default options are ranked. */
const isRanked = ({ status, options }: Episode): boolean =>
  status !== "incomplete" && Object.keys(options).length === 0;

/** Returns the best score per game. Only certified episodes count. */
export function bestScores(episodes: readonly Episode[]): ReadonlyMap<string, number> {
  const best = new Map<string, number>();
  for (const episode of episodes) {
    const { game_id: id, certificate } = episode;
    const score = Number(episode.score);
    if (certificate !== "certified" || !isRanked(episode) || Number.isNaN(score)) continue;
    best.set(id, Math.max(best.get(id) ?? -Infinity, score));
  }
  return best;
}
