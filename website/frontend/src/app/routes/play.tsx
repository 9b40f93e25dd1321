import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Navigate, useParams } from "react-router";

import { ApiError } from "@/api/client";
import { usePreferencesLoaded } from "@/api/preferences";
import { gameQuery, gamesQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { GamePage } from "@/features/play/game-page";

export function PlayRoute() {
  const { gameId = "" } = useParams();
  const session = useSession();
  const game = useGame(gameId);
  const preferencesLoaded = usePreferencesLoaded(session?.userId ?? "");
  if (session === null) return <Navigate to={paths.signIn(paths.play(gameId))} replace />;
  // The game waits for the account's preferences, because keys and options are sent at the start.
  if (game.isPending || (game.isSuccess && !preferencesLoaded)) {
    return (
      <p role="status" className="grid h-dvh place-items-center text-lg text-dim">
        Loading…
      </p>
    );
  }
  if (game.isError) {
    return (
      <main className="px-4">
        <Title>Game not available</Title>
        <Message
          isError
          isPage
          title="Game not available"
          action={
            <Link className={buttonClass("action")} to={paths.games}>
              All games
            </Link>
          }
        >
          {errorMessage(game.error)}
        </Message>
      </main>
    );
  }
  return (
    <>
      <Title>{game.data.name}</Title>
      <GamePage key={game.data.id} game={game.data} session={session} />
    </>
  );
}

/** Replaces the server's 404 message, which is written for developers. */
function errorMessage(error: Error): string {
  if (!(error instanceof ApiError) || error.status !== 404) return error.message;
  return "This game does not exist or has been removed. Check the address, or choose another game.";
}

/** Uses the data of the library as initial data. */
function useGame(gameId: string) {
  const client = useQueryClient();
  return useQuery({
    ...gameQuery(gameId),
    initialData: () => client.getQueryData(gamesQuery.queryKey)?.find(({ id }) => id === gameId),
    initialDataUpdatedAt: () => client.getQueryState(gamesQuery.queryKey)?.dataUpdatedAt,
  });
}
