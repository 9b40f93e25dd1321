import { queryOptions } from "@tanstack/react-query";

import { sendRequest } from "./client";
import type { components } from "./schema";

/** The part of a token before the dot names the server of the game. */
const NAMED = /^([0-9a-f-]{36})\./;

/** Asks for the origin of the socket at which a game can be watched; null: that of the API. */
export const watchSocketQuery = (token: string) => {
  const server = NAMED.exec(token)?.[1] ?? null;
  return queryOptions({
    // Only the server, because the token is a secret.
    queryKey: ["watch-socket", server],
    queryFn: async ({ signal }): Promise<string | null> => {
      if (server === null) return null;
      const path = `/ws/watch/servers/${server}`;
      const answer = await sendRequest<components["schemas"]["WatchSocket"]>(path, { signal });
      return answer.socket;
    },
    retry: false,
    staleTime: Infinity,
    gcTime: 0,
  });
};
