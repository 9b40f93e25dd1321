import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type CSSProperties } from "react";
import { useNavigate } from "react-router";

import type { Game } from "@/api/client";
import { usePreferences } from "@/api/preferences";
import { episodesQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { paths } from "@/config/paths";
import { hueOf } from "@/lib/hue";
import { useStillness, useTouch } from "@/lib/media";
import type { Engine, Phase } from "@/play/engine";

import { Aside, Part } from "./aside";
import { deckOf } from "./deck";
import { Announcer } from "./announcer";
import { Hud } from "./hud";
import { keysOf } from "./keys";
import { ControlsCard } from "./controls-card";
import { optionsOf, wordOptions, type Options } from "./options";
import { Overlay } from "./overlay";
import { roundsOf, type KnownRound, type Round } from "./rounds";
import { Screen } from "./screen";
import { SettingsCard } from "./settings-card";
import { TopBar } from "./top-bar";
import { TouchDeck } from "./touch-deck";
import { useEngine, useSnapshot } from "./use-engine";
import { useHotkeys } from "./use-hotkeys";
import { useInput, useTaps } from "./use-input";
import { useRumble } from "./use-rumble";
import { useSound } from "./use-sound";

/** One game on a machine of its own: sign, screen, deck, and the card beside it. */
export function GamePage({ game, session }: { game: Game; session: Session }) {
  const [round, setRound] = useState(0);
  const { options: all } = usePreferences();
  const chosen = all[game.id];
  const options = useMemo(() => optionsOf(game, chosen), [game, chosen]);
  const engine = useEngine(game, options, round);
  if (engine === null) return null;
  return (
    <Machine
      key={round}
      {...{ engine, game, options, session }}
      onReopen={() => setRound(round + 1)}
    />
  );
}

interface Props {
  engine: Engine;
  game: Game;
  options: Options;
  session: Session;
  onReopen: () => void;
}

function Machine({ engine, game, options, session, onReopen }: Props) {
  const snapshot = useSnapshot(engine);
  const touch = useTouch();
  const rounds = useRounds(game, options, session, snapshot.phase);
  const deck = useMemo(() => deckOf(game), [game]);
  const { kind } = snapshot.phase;
  const best = rounds.length === 0 ? null : Math.max(...rounds.map(({ score }) => score));
  const patience = useHotkeys(engine);
  const preferences = usePreferences();
  const changed = preferences.keys[game.id];
  const keys = useMemo(() => keysOf(game, changed), [game, changed]);
  const choosingRef = useRef(false);
  const gamepads = useInput({ engine, game, keys, preferences, touch, patience, choosingRef });
  const shakes = !useStillness() && preferences.haptics;
  const fingers = useTaps(engine.input, shakes);
  useSound(engine, preferences, snapshot.hasSound);
  useRumble(snapshot.lives, touch, shakes);
  useEffect(() => {
    if (kind === "countdown" || kind === "starting") scrollTo({ top: 0 });
  }, [kind]);
  useLeaving(snapshot.phase);

  return (
    <div
      style={{ "--hue": hueOf(game.id) } as CSSProperties}
      data-phase={kind}
      className="flex min-h-dvh flex-col"
    >
      <TopBar {...{ engine, game, snapshot, preferences }} />
      <div className="relative lg:grid lg:flex-1 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Announcer phase={snapshot.phase} game={game} />
        <main className="machine" data-touch={touch ? "" : undefined} data-hand={preferences.hand}>
          <div
            data-theme="dark"
            className="relative flex min-h-0 screen-area min-w-0 flex-1 flex-col gap-2 overflow-clip p-2.5 text-ink [grid-area:screen] glow sm:gap-3 sm:px-5 sm:py-4"
          >
            <Hud game={game} snapshot={snapshot} best={best} />
            <div className="screen-box" style={shapeOf(game, snapshot.size)}>
              <Screen engine={engine} game={game} size={snapshot.size} />
            </div>
            <Overlay {...{ engine, game, snapshot, rounds, touch, onReopen }} />
          </div>
          {touch && <TouchDeck deck={deck} input={fingers} />}
        </main>
        <Aside
          game={game}
          choice={wordOptions(game, options)}
          rounds={rounds}
          notice={snapshot.notice}
        >
          <Part title="Keys">
            <ControlsCard {...{ game, keys, choosingRef }} audible={snapshot.hasSound} />
          </Part>
          <Part title="Your way">
            <SettingsCard {...{ touch, gamepads }} audible={snapshot.hasSound} />
          </Part>
        </Aside>
      </div>
    </div>
  );
}

/** Width to height of the picture as it is shown. */
function shapeOf(game: Game, size: { width: number; height: number } | null): CSSProperties {
  const { width, height } = size ?? { width: 4 / game.show.pixel_aspect, height: 3 };
  return { "--shape": (width * game.show.pixel_aspect) / height } as CSSProperties;
}

/** This game's rounds before the one on the screen, oldest first. */
function useRounds(game: Game, options: Options, session: Session, phase: Phase): readonly Round[] {
  const client = useQueryClient();
  const { data } = useQuery(episodesQuery(session.userId));
  const { kind } = phase;
  const shown = phase.kind === "ended" ? phase.episode : null;
  useEffect(() => {
    if (kind === "countdown" || kind === "starting") {
      void client.invalidateQueries({ queryKey: ["episodes"] });
    }
  }, [kind, client]);
  const here = useEnded(phase, options);
  return useMemo(
    () => roundsOf(data ?? [], game.id, options, shown, here),
    [data, game.id, options, shown, here],
  );
}

/** Rounds that were played to their end on this page. */
function useEnded(phase: Phase, options: Options): readonly KnownRound[] {
  const [ended, setEnded] = useState<readonly KnownRound[]>([]);
  if (
    phase.kind === "ended" &&
    phase.status !== "incomplete" &&
    ended.at(-1)?.id !== phase.episode
  ) {
    const { episode: id, score, steps, status } = phase;
    setEnded([...ended, { id, score, steps, won: status === "won", options }]);
  }
  return ended;
}

/** Who ended a game to leave is taken to the others as soon as its record is sealed. */
function useLeaving(phase: Phase): void {
  const { kind } = phase;
  const navigate = useNavigate();
  const [leaving, setLeaving] = useState(false);
  if (phase.kind === "leaving" && !phase.thenRestart && !leaving) setLeaving(true);
  useEffect(() => {
    if (leaving && kind !== "leaving") void navigate(paths.games);
  }, [leaving, kind, navigate]);
}
