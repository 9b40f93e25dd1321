import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";

import { describeError, type Game } from "@/api/client";
import { type Replay, ReplayClient } from "@/api/replay";
import { LoadingPage, NotAvailablePage } from "@/components/page-state";
import { paths } from "@/config/paths";

interface Props {
  game: Game;
  episode: string;
  /** Token of the link that shares the episode, or null. */
  share: string | null;
  /** Heading of the page if the episode is not available. */
  errorTitle: string;
  /** Text of the link to the game without the episode. */
  withoutLabel: string;
  children: (replay: Replay, client: ReplayClient) => ReactNode;
}

const OTHER_GAME_MESSAGE = /*i18n*/ "This round is of another game.";
const NOT_FOUND_MESSAGE =
  /*i18n*/ "This round does not exist or is not yours. If somebody shared it, ask them for a link.";

/** Loads a recorded episode for a game that needs it, or says why it is not available. */
export function RecordedRound({ game, episode, share, errorTitle, withoutLabel, children }: Props) {
  const { i18n } = useLingui();
  const client = useMemo(() => new ReplayClient(episode, share), [episode, share]);
  const replay = useQuery({
    queryKey: ["episodes", "replay", episode, share],
    queryFn: ({ signal }) => client.replay(signal),
    staleTime: Infinity,
    retry: false,
  });
  if (replay.isPending) return <LoadingPage />;
  if (!replay.isLoadingError && replay.data.game.id === game.id)
    return children(replay.data, client);
  return (
    <NotAvailablePage
      title={errorTitle}
      message={
        replay.error === null
          ? i18n._(OTHER_GAME_MESSAGE)
          : describeError(replay.error, i18n._(NOT_FOUND_MESSAGE))
      }
      link={{ to: paths.play(game.id), label: withoutLabel }}
    />
  );
}
