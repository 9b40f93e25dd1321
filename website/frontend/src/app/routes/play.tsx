import { useLingui } from "@lingui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Navigate, useLocation, useParams } from "react-router";

import { describeError, type Game } from "@/api/client";
import { myConsentQuery } from "@/api/consent";
import { usePreferencesLoaded } from "@/api/preferences";
import { gameQuery, gamesQuery } from "@/api/queries";
import { type Session, useSession } from "@/api/session";
import { LoadingPage, NotAvailablePage } from "@/components/page-state";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { GamePage } from "@/features/play/game-page";
import { idsOf, optionsOfId } from "@/lib/game-ids";

const NOT_FOUND_MESSAGE =
  /*i18n*/ "This game does not exist or has been removed. Check the address, or choose another game.";

const EpisodeRank = lazy(async () => ({
  default: (await import("@/features/boards/episode-rank")).EpisodeRank,
}));

const renderPlace = (episodeId: string) => (
  <Suspense>
    <EpisodeRank episodeId={episodeId} />
  </Suspense>
);

const RacePage = lazy(async () => ({
  default: (await import("@/features/play/ghost/race-page")).RacePage,
}));

const BranchPage = lazy(async () => ({
  default: (await import("@/features/play/branch/branch-page")).BranchPage,
}));

/** Opens a game for a player who has signed in. */
export function PlayRoute() {
  const session = useSession();
  const { pathname, search, hash } = useLocation();
  if (session === null) return <Navigate to={paths.signIn(pathname + search + hash)} replace />;
  return <PlayerRoute session={session} />;
}

function PlayerRoute({ session }: { session: Session }) {
  const { i18n } = useLingui();
  const { gameId = "" } = useParams();
  const game = useGame(gameId);
  const { pathname, search, hash } = useLocation();
  const consent = useQuery(myConsentQuery(session.userId));
  const preferencesLoaded = usePreferencesLoaded(session.userId);
  if (game.isLoadingError)
    return (
      <NotAvailablePage
        title={i18n._("Game not available")}
        message={describeError(game.error, i18n._(NOT_FOUND_MESSAGE))}
      />
    );
  // Without an answer of the server the game opens all the same: the server does not record it.
  if (consent.data?.needs_answer === true)
    return <Navigate to={paths.consent(pathname + search + hash)} replace />;
  // The game waits for the account's preferences, because keys and options are sent at the start.
  if (consent.isPending || game.isPending || !preferencesLoaded) return <LoadingPage />;
  if (game.data.id !== gameId) {
    const chosen = Object.fromEntries(new URLSearchParams(search));
    const options = { ...optionsOfId(game.data, gameId), ...chosen };
    return <Navigate to={paths.play(game.data.id, options) + hash} replace />;
  }
  return <OpenedGame game={game.data} session={session} />;
}

function OpenedGame({ game, session }: { game: Game; session: Session }) {
  const { search, hash } = useLocation();
  const query = new URLSearchParams(search);
  const daily = query.get("daily");
  const ghost = query.get("ghost");
  const branch = query.get("branch");
  const named = query.get("agent");
  const agent = game.agents.find(({ name }) => name === named) ?? null;
  const frame = /^\d{1,9}$/.exec(query.get("frame") ?? "")?.[0] ?? "0";
  const share = new URLSearchParams(hash.slice(1)).get("share");
  return (
    <>
      <Title>{game.name}</Title>
      {branch !== null ? (
        <Suspense fallback={<LoadingPage />}>
          <BranchPage
            key={`${game.id} ${branch} ${frame}`}
            {...{ game, session, share }}
            episode={branch}
            frame={Number(frame)}
          />
        </Suspense>
      ) : ghost === null ? (
        <GamePage
          key={`${game.id} ${daily ?? ""} ${agent?.name ?? ""}`}
          game={game}
          session={session}
          daily={daily}
          agent={daily === null ? agent : null}
          renderPlace={renderPlace}
        />
      ) : (
        <Suspense fallback={<LoadingPage />}>
          <RacePage
            key={`${game.id} ${ghost}`}
            {...{ session, share }}
            game={game}
            episode={ghost}
          />
        </Suspense>
      )}
    </>
  );
}

/** Uses the data of the library as initial data. */
function useGame(gameId: string) {
  const client = useQueryClient();
  return useQuery({
    ...gameQuery(gameId),
    initialData: () =>
      client.getQueryData(gamesQuery.queryKey)?.find((one) => idsOf(one).includes(gameId)),
    initialDataUpdatedAt: () => client.getQueryState(gamesQuery.queryKey)?.dataUpdatedAt,
  });
}
