import { queryOptions } from "@tanstack/react-query";

import { sendRequest } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type BoardPage = Schemas["BoardPage"];
export type BoardRow = Schemas["BoardRow"];
export type BoardSummary = Schemas["BoardSummary"];
export type BoardMembership = Schemas["BoardMembership"];
export type DailyChallenge = Schemas["DailyChallenge"];
export type EpisodeStanding = Schemas["EpisodeStanding"];

export const SEASONS = ["today", "week", "all"] as const;
export type Season = (typeof SEASONS)[number];

/** Boards are public. A session is sent if there is one, for the player's own row. */
const read = <T>(path: string, signal: AbortSignal) =>
  sendRequest<T>(path, { shareToken: null, signal });

export const boardsQuery = queryOptions({
  queryKey: ["boards"],
  queryFn: ({ signal }) => read<readonly BoardSummary[]>("/leaderboards", signal),
});

/** The key contains the user, so that the next one does not see the own row of the last one. */
export const boardQuery = (
  userId: string | null,
  gameId: string,
  season: Season,
  settings: string,
) =>
  queryOptions({
    queryKey: ["boards", userId, gameId, season, settings],
    queryFn: ({ signal }) =>
      read<BoardPage>(
        `/leaderboards/${encodeURIComponent(gameId)}?${new URLSearchParams({ season, settings }).toString()}`,
        signal,
      ),
  });

export const dailyBoardQuery = (userId: string | null, day: string) =>
  queryOptions({
    queryKey: ["boards", userId, "daily", day],
    queryFn: ({ signal }) => read<BoardPage>(`/challenges/${day}/board`, signal),
  });

export const dailyQuery = (userId: string | null) =>
  queryOptions({
    queryKey: ["daily", userId],
    queryFn: ({ signal }) => read<DailyChallenge>("/challenges/today", signal),
  });

export const membershipQuery = (userId: string) =>
  queryOptions({
    queryKey: ["boards", userId, "membership"],
    queryFn: ({ signal }) =>
      sendRequest<BoardMembership>("/me/board", { isAuthenticated: true, signal }),
  });

/** What became of an episode of the player. It is pending until the episode is certified. */
export const standingQuery = (episodeId: string) =>
  queryOptions({
    queryKey: ["boards", "standing", episodeId],
    queryFn: ({ signal }) =>
      sendRequest<EpisodeStanding>(`/episodes/${encodeURIComponent(episodeId)}/standing`, {
        isAuthenticated: true,
        signal,
      }),
  });

export const optIn = (name: string | null) =>
  sendRequest<BoardMembership>("/me/board", {
    method: "PUT",
    body: { name } satisfies Schemas["BoardMembershipRequest"],
    isAuthenticated: true,
  });

export const optOut = () =>
  sendRequest<BoardMembership>("/me/board", { method: "DELETE", isAuthenticated: true });

export const reportName = (episodeId: string) =>
  sendRequest<BoardMembership>(`/leaderboards/entries/${encodeURIComponent(episodeId)}/report`, {
    method: "POST",
    isAuthenticated: true,
  });
