import { i18n } from "@/lib/i18n";
import { useLingui } from "@lingui/react";
import { useMemo, useState, useSyncExternalStore } from "react";
import { Link } from "react-router";

import type { Game } from "@/api/client";
import type { Replay, ReplayClient } from "@/api/replay";
import type { Session } from "@/api/session";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";
import { formatScore } from "@/lib/format";
import type { GhostPlayer } from "@/play/ghost/ghost-player";
import type { ShownGhost } from "@/wire/messages";

import { GamePage } from "../game-page";
import { SidebarSection } from "../game-sidebar";
import { validOptions } from "../options";
import { RecordedRound } from "../recorded-round";
import { GhostCanvas } from "./ghost-canvas";
import { useGhostPlayer } from "./use-ghost-player";

interface Props {
  game: Game;
  session: Session;
  episode: string;
  /** Token of the link that shares the episode, or null. */
  share: string | null;
}

/** Page of a game in which a recorded episode is shown while the player plays. */
export function RacePage({ game, session, episode, share }: Props) {
  const { i18n } = useLingui();
  return (
    <RecordedRound
      {...{ game, episode, share }}
      errorTitle={i18n._("Ghost not available")}
      withoutLabel={i18n._("Play without a ghost")}
    >
      {(replay, client) => <LoadedRace {...{ game, session, client, replay }} />}
    </RecordedRound>
  );
}

interface LoadedProps {
  game: Game;
  session: Session;
  client: ReplayClient;
  replay: Replay;
}

function LoadedRace({ game, session, client, replay }: LoadedProps) {
  const player = useGhostPlayer(client, replay);
  const [isHidden, setHidden] = useState(false);
  const options = useMemo(() => validOptions(game, replay.options), [game, replay.options]);
  if (player === null) return null;
  const picture = { player, smooth: game.show.smooth };
  return (
    <GamePage
      {...{ game, session }}
      race={{
        episode: replay.id,
        share: client.shareToken,
        options,
        onEngine: (engine) => engine.watchPaints(player.follow),
        layer: isHidden ? null : <GhostCanvas {...picture} isLayer />,
        panel: (ghost) => (
          <GhostPanel
            {...{ game, ghost, player, isHidden, setHidden }}
            score={Number(replay.score)}
          >
            {ghost?.seed === "drawn" && !isHidden && <GhostCanvas {...picture} isLayer={false} />}
          </GhostPanel>
        ),
      }}
    />
  );
}

interface PanelProps {
  game: Game;
  ghost: ShownGhost | null;
  player: GhostPlayer;
  /** Final score of the ghost. */
  score: number;
  isHidden: boolean;
  setHidden: (isHidden: boolean) => void;
  children: React.ReactNode;
}

/** What the ghost is, its score at this frame, and a switch that hides it. */
function GhostPanel({ game, ghost, player, score, isHidden, setHidden, children }: PanelProps) {
  const { i18n } = useLingui();
  const state = useSyncExternalStore(player.state.subscribe, player.state.getSnapshot);
  return (
    <SidebarSection title={i18n._("Ghost")}>
      <p className="text-pretty">{describeGhost(ghost)}</p>
      {game.show.score && (
        <p className="mt-3 flex items-baseline gap-3">
          <span className="dots text-2xl leading-none" data-testid="ghost-score">
            {formatScore(state.score ?? 0)}
          </span>
          <span className="text-sm text-dim">
            {state.isFinished
              ? i18n._("the ghost has finished")
              : i18n._("of {score} at its end", { score: formatScore(score) })}
          </span>
        </p>
      )}
      {children}
      {state.error !== null && (
        <p role="alert" className="mt-3 font-semibold text-link">
          {state.error}
        </p>
      )}
      <div className="mt-4 flex flex-wrap gap-2">
        <button
          type="button"
          aria-pressed={isHidden}
          onClick={() => setHidden(!isHidden)}
          className={buttonClass("plain")}
        >
          {i18n._("Hide ghost")}
        </button>
        <Link className={buttonClass("plain")} to={paths.play(game.id)}>
          {i18n._("Play without a ghost")}
        </Link>
      </div>
      <p className="mt-3 text-sm text-dim">
        {i18n._("Rounds with a ghost are recorded as such and are not ranked.")}
      </p>
    </SidebarSection>
  );
}

function describeGhost(ghost: ShownGhost | null): string {
  if (ghost === null) return i18n._("Connecting…");
  return ghost.seed === "same"
    ? i18n._("You race a recorded round. Your round has the same seed and settings.")
    : i18n._(
        "The game or its settings have changed since this round was played, so your round starts differently. It is shown here beside your game.",
      );
}
