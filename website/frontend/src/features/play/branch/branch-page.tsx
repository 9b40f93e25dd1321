import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "react-router";

import { describeError, type Game } from "@/api/client";
import { ReplayClient } from "@/api/replay";
import type { Session } from "@/api/session";
import { buttonClass } from "@/components/button";
import { LoadingPage, NotAvailablePage } from "@/components/page-state";
import { paths } from "@/config/paths";

import { GamePage } from "../game-page";
import { SidebarSection } from "../game-sidebar";
import { type Options, validOptions } from "../options";

interface Props {
  game: Game;
  session: Session;
  episode: string;
  frame: number;
  /** Token of the link that shares the episode, or null. */
  share: string | null;
}

const OTHER_GAME_MESSAGE = "This round is of another game.";
const NOT_FOUND_MESSAGE =
  "This round does not exist or is not yours. If somebody shared it, ask them for a link.";

/** Page of a game that begins at a frame of a recorded episode. */
export function BranchPage({ game, session, episode, frame, share }: Props) {
  const client = useMemo(() => new ReplayClient(episode, share), [episode, share]);
  const replay = useQuery({
    queryKey: ["episodes", "replay", episode, share],
    queryFn: ({ signal }) => client.replay(signal),
    staleTime: Infinity,
    retry: false,
  });
  const recorded = replay.data?.options;
  const options = useMemo<Options>(() => validOptions(game, recorded ?? {}), [game, recorded]);
  if (replay.isPending) return <LoadingPage />;
  if (replay.isError || replay.data.game.id !== game.id) {
    return (
      <NotAvailablePage
        title="Frame not available"
        message={
          replay.error === null
            ? OTHER_GAME_MESSAGE
            : describeError(replay.error, NOT_FOUND_MESSAGE)
        }
        link={{ to: paths.play(game.id), label: "Play from the start" }}
      />
    );
  }
  const panel = <BranchPanel {...{ game, episode, frame, share }} />;
  return <GamePage {...{ game, session }} branch={{ episode, frame, share, options, panel }} />;
}

/** Where the round begins, and the way back. */
function BranchPanel({ game, episode, frame, share }: Omit<Props, "session">) {
  return (
    <SidebarSection title="Recorded frame">
      <p className="text-pretty">
        Your round begins at frame {frame} of a recorded round, with the same seed and settings.
        Your score counts from there.
      </p>
      <div className="mt-4 flex flex-wrap gap-2">
        <Link className={buttonClass("plain")} to={paths.replayFrame(episode, frame, share)}>
          Back to the replay
        </Link>
        <Link className={buttonClass("plain")} to={paths.play(game.id)}>
          Play from the start
        </Link>
      </div>
      <p className="mt-3 text-sm text-dim">
        Rounds that begin at a recorded frame are recorded as such and are not ranked.
      </p>
    </SidebarSection>
  );
}
