import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";

import { ReplayClient, type Replay } from "@/api/replay";
import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { LoadingPage } from "@/components/page-state";

import type { TrialGhost } from "../trial-page";
import { GhostCanvas } from "./ghost-canvas";
import { useGhostPlayer } from "./use-ghost-player";

interface Props {
  /** Episode that is shown. */
  episode: string;
  /** Renders the trial once the ghost is loaded. */
  children: (ghost: TrialGhost) => ReactNode;
}

/** Loads the ghost of a trial before the trial, so that all participants of the stage see theirs. */
export function TrialWithGhost({ episode, children }: Props) {
  const { i18n } = useLingui();
  const client = useMemo(() => new ReplayClient(episode, null), [episode]);
  const replay = useQuery({
    queryKey: ["episodes", "replay", episode, null],
    queryFn: ({ signal }) => client.replay(signal),
    staleTime: Infinity,
  });
  if (replay.isPending) return <LoadingPage />;
  if (replay.isLoadingError)
    return (
      <Message
        isError
        isPage
        title={i18n._("Cannot load the game")}
        action={<Button onClick={() => void replay.refetch()}>{i18n._("Try again")}</Button>}
      >
        {replay.error.message}
      </Message>
    );
  return <LoadedGhost {...{ client, children }} replay={replay.data} />;
}

function LoadedGhost({
  client,
  replay,
  children,
}: Pick<Props, "children"> & { client: ReplayClient; replay: Replay }) {
  const player = useGhostPlayer(client, replay);
  if (player === null) return <LoadingPage />;
  const picture = { player, smooth: replay.game.show.smooth };
  return children({
    onEngine: (engine) => engine.watchPaints(player.follow),
    layer: <GhostCanvas {...picture} isLayer />,
    picture: <GhostCanvas {...picture} isLayer={false} />,
  });
}
