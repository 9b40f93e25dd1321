import { useLingui } from "@lingui/react";
import { useMemo } from "react";
import { Link } from "react-router";

import type { Game } from "@/api/client";
import type { Session } from "@/api/session";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";

import { GamePage } from "../game-page";
import { SidebarSection } from "../game-sidebar";
import { type Options, validOptions } from "../options";
import { RecordedRound } from "../recorded-round";

interface Props {
  game: Game;
  session: Session;
  episode: string;
  frame: number;
  /** Token of the link that shares the episode, or null. */
  share: string | null;
}

/** Page of a game that begins at a frame of a recorded episode. */
export function BranchPage(props: Props) {
  const { i18n } = useLingui();
  return (
    <RecordedRound
      {...props}
      errorTitle={i18n._("Frame not available")}
      withoutLabel={i18n._("Play from the start")}
    >
      {(replay) => <LoadedBranch {...props} recordedOptions={replay.options} />}
    </RecordedRound>
  );
}

function LoadedBranch({
  game,
  session,
  episode,
  frame,
  share,
  recordedOptions,
}: Props & { recordedOptions: Options }) {
  const options = useMemo(() => validOptions(game, recordedOptions), [game, recordedOptions]);
  const panel = <BranchPanel {...{ game, episode, frame, share }} />;
  return <GamePage {...{ game, session }} branch={{ episode, frame, share, options, panel }} />;
}

/** Where the round begins, and the way back. */
function BranchPanel({ game, episode, frame, share }: Omit<Props, "session">) {
  const { i18n } = useLingui();
  return (
    <SidebarSection title={i18n._("Recorded frame")}>
      <p className="text-pretty">
        {i18n._(
          "Your round begins at frame {frame} of a recorded round, with the same seed and settings. Your score counts from there.",
          { frame },
        )}
      </p>
      <div className="mt-4 flex flex-wrap gap-2">
        <Link className={buttonClass("plain")} to={paths.replayFrame(episode, frame, share)}>
          {i18n._("Back to the replay")}
        </Link>
        <Link className={buttonClass("plain")} to={paths.play(game.id)}>
          {i18n._("Play from the start")}
        </Link>
      </div>
      <p className="mt-3 text-sm text-dim">
        {i18n._("Rounds that begin at a recorded frame are recorded as such and are not ranked.")}
      </p>
    </SidebarSection>
  );
}
