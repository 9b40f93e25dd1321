import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Navigate, useLocation, useParams } from "react-router";

import { ApiError, describeError } from "@/api/client";
import { ReplayClient } from "@/api/replay";
import { useSession } from "@/api/session";
import { LoadingPage, NotAvailablePage } from "@/components/page-state";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { ReplayPage } from "@/features/replay/replay-page";
import { replayQuery } from "@/features/replay/versus";
import { parseTokens, parseView } from "@/features/replay/view-address";

/** Waiting for the last segment of an episode that has just ended. */
const POLL_MS = 700;
const MAX_POLLS = 40;
const NOT_FOUND_MESSAGE =
  /*i18n*/ "This episode does not exist, is not uploaded yet, or is not yours. If somebody shared it, ask them for a link.";

export function ReplayRoute() {
  const { episodeId = "" } = useParams();
  // Another episode has an address of its own, also if a link of this page opens it.
  return <EpisodeRoute key={episodeId} episodeId={episodeId} />;
}

function EpisodeRoute({ episodeId }: { episodeId: string }) {
  const { i18n } = useLingui();
  // The address that was opened; the page changes it later.
  const [{ search, hash }] = useState(() => ({ search: location.search, hash: location.hash }));
  const { share, versusShare } = useMemo(() => parseTokens(hash), [hash]);
  const view = useMemo(() => parseView(search), [search]);
  const session = useSession();
  const client = useMemo(() => new ReplayClient(episodeId, share), [episodeId, share]);
  const { state } = useLocation() as { state: { justEnded?: boolean } | null };
  const waitsForUpload = state?.justEnded === true;
  const replay = useQuery({
    ...replayQuery(client),
    retry: (count, error) =>
      waitsForUpload && error instanceof ApiError && error.status === 404 && count < MAX_POLLS,
    retryDelay: POLL_MS,
    refetchInterval: ({ state: { data, dataUpdateCount } }) =>
      waitsForUpload && data?.time_ended === null && dataUpdateCount < MAX_POLLS ? POLL_MS : false,
  });
  // Anyone may watch an episode that is on a leaderboard.
  const needsSession = replay.error instanceof ApiError && replay.error.status === 401;
  if (session === null && share === null && needsSession) {
    return <Navigate to={paths.signIn(paths.replay(episodeId) + search)} replace />;
  }
  const isUploading = waitsForUpload && replay.data?.time_ended === null;
  if (replay.isPending || (isUploading && replay.fetchStatus !== "paused")) {
    return (
      <LoadingPage>
        {waitsForUpload ? i18n._("Saving the last seconds…") : i18n._("Loading…")}
      </LoadingPage>
    );
  }
  if (replay.isLoadingError)
    return (
      <NotAvailablePage
        title={i18n._("Replay not available")}
        message={describeError(replay.error, i18n._(NOT_FOUND_MESSAGE))}
      />
    );
  return (
    <>
      <Title>{i18n._("{game}, replay", { game: replay.data.game.name })}</Title>
      <ReplayPage
        replay={replay.data}
        {...{ client, view, versusShare }}
        now={replay.dataUpdatedAt}
      />
    </>
  );
}
