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
  // With which keys and in which mode is the account's to say, before the machine is switched on.
  if (game.isPending || (game.isSuccess && !preferencesLoaded)) {
    return (
      <p role="status" className="grid h-dvh place-items-center text-lg text-dim">
        Finding the machine…
      </p>
    );
  }
  if (game.isError) {
    return (
      <main className="px-4">
        <Title>No game here</Title>
        <Message
          isError
          isPage
          title="No game here"
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

/** What the server says of a game that is not there is meant for programs. */
function errorMessage(error: Error): string {
  if (!(error instanceof ApiError) || error.status !== 404) return error.message;
  return "No machine here goes by that name. The address may have a slip in it, or the game has been taken away.";
}

/** Who comes from the library has been told of the game there. */
function useGame(gameId: string) {
  const client = useQueryClient();
  return useQuery({
    ...gameQuery(gameId),
    initialData: () => client.getQueryData(gamesQuery.queryKey)?.find(({ id }) => id === gameId),
    initialDataUpdatedAt: () => client.getQueryState(gamesQuery.queryKey)?.dataUpdatedAt,
  });
}
