import { queryOptions } from "@tanstack/react-query";

import { fetchEpisodeFile, sendRequest } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type JudgementState = Schemas["JudgementState"];
export type JudgementTask = Schemas["JudgementTask"];
export type JudgementRequest = Schemas["JudgementRequest"];
export type Answer = JudgementRequest["answer"];

const setPath = (name: string) => `/judgements/${encodeURIComponent(name)}`;

/** A set of clips as this user sees it. The key contains the user, so that the next one reads anew. */
export const judgementQuery = (userId: string, name: string) =>
  queryOptions({
    queryKey: ["judge", userId, name, "state"],
    queryFn: ({ signal }) =>
      sendRequest<JudgementState>(setPath(name), { isAuthenticated: true, signal }),
    // Reading again would replace the clips under the judge's eyes.
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });

export const answerJudgement = (name: string, body: JudgementRequest) =>
  sendRequest<JudgementState>(`${setPath(name)}/answers`, {
    method: "POST",
    body,
    isAuthenticated: true,
  });

export const undoJudgement = (name: string) =>
  sendRequest<JudgementState>(`${setPath(name)}/undo`, { method: "POST", isAuthenticated: true });

/** Downloads a clip: an animated PNG. */
export const loadClip = (path: string, signal: AbortSignal): Promise<ArrayBuffer> =>
  fetchEpisodeFile(path, null, signal);
