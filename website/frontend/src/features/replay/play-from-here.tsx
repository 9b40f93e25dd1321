import { useLingui } from "@lingui/react";
import { useEffect, useState } from "react";
import { Link } from "react-router";

import { api, socketUrl } from "@/api/client";
import type { Replay, ReplayClient } from "@/api/replay";
import { useSession } from "@/api/session";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";
import { browserPlatform } from "@/play/platform";
import { describeBrowser } from "@/play/remote/client-info";
import { openWebSocket } from "@/play/remote/socket";
import { PreparedBranch } from "@/play/replay/prepared-branch";

import { type ReplayModel, usePlayerState } from "./use-replay";

/** Plays on from the frame that is shown. After the environment's own end there is nothing to play. */
export function PlayFromHere({ model: { replay, player, client } }: { model: ReplayModel }) {
  const { i18n } = useLingui();
  const { frame, isPlaying } = usePlayerState(player);
  const isEnd =
    frame >= replay.n_steps &&
    (replay.end_reason === "terminated" || replay.end_reason === "truncated");
  const isOffered = !isEnd && replay.branch_refusal === null;
  const keep = usePrepared(replay, client, isOffered && !isPlaying ? frame : null);
  if (replay.branch_refusal === "changed")
    return (
      <p className="w-full text-sm text-dim">
        {i18n._(
          "Nobody can play from this round, because its game or the server has changed since.",
        )}
      </p>
    );
  if (!isOffered) return null;
  return (
    <Link
      className={buttonClass("plain")}
      to={paths.branch(replay.game.id, replay.id, frame, client.shareToken)}
      onClick={keep}
    >
      {i18n._("Play from here")}
    </Link>
  );
}

/**
 * Prepares a game that begins at the frame on which the replay rests, for somebody who may play.
 * Returns a function that leaves the game to the page that plays it.
 */
function usePrepared(replay: Replay, client: ReplayClient, frame: number | null): () => void {
  const isSignedIn = useSession() !== null;
  const [branch] = useState(() => createBranch(replay, client));
  useEffect(() => branch.rest(isSignedIn ? frame : null), [branch, isSignedIn, frame]);
  useEffect(() => () => branch.close(), [branch]);
  return () => branch.keep();
}

function createBranch({ id, game }: Replay, { shareToken }: ReplayClient): PreparedBranch {
  return new PreparedBranch({
    platform: browserPlatform,
    openSocket: openWebSocket,
    getAddress: async (frame) => {
      const { ticket, socket } = await api.ticket({
        game_id: game.id,
        branch: { episode: id, frame },
        is_preparation: true,
        ...{ ghost: null, agent: null, agent_version: null, share_token: shareToken },
      });
      return { url: socketUrl(game.id, {}, socket), ticket };
    },
    getHello: () => describeBrowser(browserPlatform, null),
  });
}
