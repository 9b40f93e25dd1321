import { type ReactNode, useMemo } from "react";

import type { Game } from "@/api/client";
import type { Engine, Snapshot } from "@/play/engine";

import { Announcer } from "./announcer";
import { aspectStyle } from "./aspect-style";
import { Caption } from "./caption";
import { Hud } from "./hud";
import { Screen } from "./screen";
import { TouchControls } from "./touch-controls";
import { touchLayoutFor } from "./touch-layout";
import type { PlayControls } from "./use-play-controls";

interface Props {
  engine: Engine;
  game: Game;
  snapshot: Snapshot;
  controls: PlayControls;
  /** Best score before; null: it is not shown. */
  best: number | null;
  /** What is drawn over the picture. */
  layer?: ReactNode;
  /** Line above the screen about the agent that plays. */
  agentBar?: ReactNode;
  /** What covers the screen while the game does not run. */
  overlay: ReactNode;
}

/** The machine: score, picture, and touch controls. */
export function GameMachine(props: Props) {
  const { engine, game, snapshot, controls, best, layer, agentBar, overlay } = props;
  const { touch, hand, screenInput } = controls;
  const touchLayout = useMemo(() => touchLayoutFor(game), [game]);
  return (
    <>
      <Announcer phase={snapshot.phase} game={game} />
      <main className="machine" data-touch={touch ? "" : undefined} data-hand={hand}>
        <div
          data-theme="dark"
          className="relative flex min-h-0 screen-area min-w-0 flex-1 flex-col gap-2 overflow-clip p-2.5 text-ink [grid-area:screen] glow sm:gap-3 sm:px-5 sm:py-4"
        >
          <Hud game={game} snapshot={snapshot} best={best} />
          {game.show.text !== null && <Caption text={snapshot.caption ?? ""} />}
          {agentBar}
          <div className="screen-box" style={aspectStyle(game, snapshot.size)}>
            <Screen engine={engine} game={game} size={snapshot.size}>
              {layer}
            </Screen>
          </div>
          {overlay}
        </div>
        {touch && <TouchControls layout={touchLayout} input={screenInput} />}
      </main>
    </>
  );
}
