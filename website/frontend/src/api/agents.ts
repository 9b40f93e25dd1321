import { queryOptions } from "@tanstack/react-query";

import { sendRequest } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type AgentSummary = Schemas["AgentSummary"];
export type AgentDetails = Schemas["AgentDetails"];
export type AgentVersion = Schemas["AgentVersion"];
export type AgentScore = Schemas["AgentScore"];
export type LiveGame = Schemas["LiveGame"];
export type ScoreSummary = Schemas["ScoreSummary"];

const LIVE_MS = 10_000;

/** The key contains the user, so that the next one does not see the scores of the last one. */
export const agentsQuery = (userId: string) =>
  queryOptions({
    queryKey: ["agents", userId],
    queryFn: ({ signal }) =>
      sendRequest<readonly AgentSummary[]>("/players/agents", { isAuthenticated: true, signal }),
    refetchInterval: LIVE_MS,
  });

export const agentQuery = (userId: string, name: string) =>
  queryOptions({
    queryKey: ["agents", userId, name],
    queryFn: ({ signal }) =>
      sendRequest<AgentDetails>(`/players/agents/${encodeURIComponent(name)}`, {
        isAuthenticated: true,
        signal,
      }),
    refetchInterval: LIVE_MS,
  });
