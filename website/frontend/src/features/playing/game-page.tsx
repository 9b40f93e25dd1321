import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState, type CSSProperties } from "react";
import { useNavigate } from "react-router";

import type { Game } from "@/api/client";
import { episodesQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { paths } from "@/config/paths";
import { hueOf } from "@/lib/hue";
import { useTouch } from "@/lib/media";
import type { Engine } from "@/play/engine";

import { Aside } from "./aside";
import { deckOf } from "./deck";
import { Hud } from "./hud";
import { Overlay } from "./overlay";
import { Screen } from "./screen";
import { TopBar } from "./top-bar";
import { TouchButtons, TouchPad } from "./touch-deck";
import { useEngine, useSnapshot } from "./use-engine";
import { useHotkeys } from "./use-hotkeys";

/** One game on a machine of its own: sign, screen, deck, and the card beside it. */
export function GamePage({ game, session }: { game: Game; session: Session }) {
  const [round, setRound] = useState(0);
  const engine = useEngine(game, round);
  if (engine === null) return null;
  return (
    <Machine
      key={round}
      engine={engine}
      game={game}
      session={session}
      onReopen={() => setRound(round + 1)}
    />
  );
}

interface Props {
  engine: Engine;
  game: Game;
  session: Session;
  onReopen: () => void;
}

function Machine({ engine, game, session, onReopen }: Props) {
  const snapshot = useSnapshot(engine);
  const touch = useTouch();
  const scores = useScores(game, session, snapshot.phase.kind);
  const deck = useMemo(() => deckOf(game), [game]);
  const { kind } = snapshot.phase;
  const best = scores.length === 0 ? null : Math.max(...scores);
  useHotkeys(engine);
  useLeaving(kind);

  return (
    <div
      style={{ "--hue": hueOf(game.id) } as CSSProperties}
      data-phase={kind}
      className="mx-auto grid max-w-[1920px] lg:grid-cols-[minmax(0,1fr)_20rem]"
    >
      <main className="flex h-dvh min-h-[20rem] flex-col">
        <TopBar engine={engine} game={game} snapshot={snapshot} />
        <div className="machine min-h-0 flex-1">
          <div className="flex min-h-0 min-w-0 flex-col gap-2 p-2.5 tube [grid-area:screen] sm:gap-3 sm:p-4">
            <Hud game={game} snapshot={snapshot} best={best} />
            <div className="relative min-h-0 flex-1 overflow-hidden rounded-lg">
              <Screen engine={engine} game={game} size={snapshot.size} />
              <Overlay {...{ engine, game, snapshot, scores, touch, onReopen }} />
            </div>
          </div>
          {touch && deck.pad !== null && (
            <div className="grid place-items-center p-3 [grid-area:pad]">
              <TouchPad pad={deck.pad} input={engine.input} />
            </div>
          )}
          {touch && (
            <div
              className={`grid place-items-center p-3 ${deck.pad === null ? "[grid-area:deck]" : "[grid-area:buttons]"}`}
            >
              <TouchButtons buttons={deck.buttons} input={engine.input} />
            </div>
          )}
        </div>
      </main>
      <Aside game={game} scores={scores} notice={snapshot.notice} />
    </div>
  );
}

/** Scores of this game's rounds before the one on the screen, oldest first. */
function useScores(game: Game, session: Session, kind: string): readonly number[] {
  const client = useQueryClient();
  const options = episodesQuery(session.userId);
  const episodes = useQuery(options);
  // Asked anew when a round begins, so that what an ending is compared with does not hold itself.
  useEffect(() => {
    if (kind === "countdown" || kind === "starting") {
      void client.invalidateQueries({ queryKey: ["episodes"] });
    }
  }, [kind, client]);
  return useMemo(
    () =>
      (episodes.data ?? [])
        .filter((episode) => episode.game_id === game.id && episode.time_ended !== null)
        .map((episode) => episode.score)
        .reverse(),
    [episodes.data, game.id],
  );
}

/** Who ended a game to leave is taken to the others as soon as its record is sealed. */
function useLeaving(kind: string): void {
  const navigate = useNavigate();
  const [leaving, setLeaving] = useState(false);
  if (kind === "leaving" && !leaving) setLeaving(true);
  useEffect(() => {
    if (leaving && kind !== "leaving") void navigate(paths.games);
  }, [leaving, kind, navigate]);
}
