import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState, type CSSProperties } from "react";
import { useNavigate } from "react-router";

import type { Game } from "@/api/client";
import { usePreferences } from "@/api/preferences";
import { episodesQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { paths } from "@/config/paths";
import { hueFor } from "@/lib/hue";
import { usePrefersReducedMotion, useHasTouch } from "@/lib/media";
import type { Engine, Phase } from "@/play/engine";

import { GameSidebar, SidebarSection } from "./game-sidebar";
import { touchLayoutFor } from "./touch-layout";
import { Announcer } from "./announcer";
import { Hud } from "./hud";
import { effectiveKeys } from "./keys";
import { ControlsCard } from "./controls-card";
import { validOptions, describeOptions, type Options } from "./options";
import { Overlay } from "./overlay";
import {
  bestScore,
  finishedEpisodes,
  type LocalEpisodeResult,
  type EpisodeResult,
} from "./episode-results";
import { Screen } from "./screen";
import { SettingsCard } from "./settings-card";
import { TopBar } from "./top-bar";
import { TouchControls } from "./touch-controls";
import { useEngine, useSnapshot } from "./use-engine";
import { useHotkeys } from "./use-hotkeys";
import { useInput, useScreenControls } from "./use-input";
import { useVibration } from "./use-vibration";
import { useSound } from "./use-sound";

/** Page of one game: title bar, screen, controls and sidebar. */
export function GamePage({ game, session }: { game: Game; session: Session }) {
  const [engineKey, setEngineKey] = useState(0);
  const { options: all } = usePreferences();
  const savedOptions = all[game.id];
  const options = useMemo(() => validOptions(game, savedOptions), [game, savedOptions]);
  const engine = useEngine(game, options, engineKey);
  if (engine === null) return null;
  return (
    <GameView
      key={engineKey}
      {...{ engine, game, options, session }}
      onReopen={() => setEngineKey(engineKey + 1)}
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

function GameView({ engine, game, options, session, onReopen }: Props) {
  const snapshot = useSnapshot(engine);
  const touch = useHasTouch();
  const results = useEpisodeResults(game, options, session, snapshot.phase);
  const touchLayout = useMemo(() => touchLayoutFor(game), [game]);
  const { kind } = snapshot.phase;
  const best = bestScore(results);
  const enterGuard = useHotkeys(engine);
  const preferences = usePreferences();
  const customKeys = preferences.keys[game.id];
  const keys = useMemo(() => effectiveKeys(game, customKeys), [game, customKeys]);
  const isChoosingRef = useRef(false);
  const gamepads = useInput({
    engine,
    game,
    keys,
    preferences,
    touch,
    enterGuard,
    choosingRef: isChoosingRef,
  });
  const vibrationEnabled = !usePrefersReducedMotion() && preferences.haptics;
  const screenInput = useScreenControls(engine.input, vibrationEnabled);
  useSound(engine, preferences, snapshot.hasSound);
  useVibration(snapshot.lives, touch, vibrationEnabled);
  useEffect(() => {
    if (kind === "countdown" || kind === "starting") scrollTo({ top: 0 });
  }, [kind]);
  useNavigateAfterLeaving(snapshot.phase);

  return (
    <div
      style={{ "--hue": hueFor(game.id) } as CSSProperties}
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
            <div className="screen-box" style={aspectStyle(game, snapshot.size)}>
              <Screen engine={engine} game={game} size={snapshot.size} />
            </div>
            <Overlay {...{ engine, game, snapshot, results, touch, onReopen }} />
          </div>
          {touch && <TouchControls layout={touchLayout} input={screenInput} />}
        </main>
        <GameSidebar
          game={game}
          optionsText={describeOptions(game, options)}
          results={results}
          notice={snapshot.notice}
        >
          <SidebarSection title="Controls">
            <ControlsCard {...{ game, keys, isChoosingRef }} hasSound={snapshot.hasSound} />
          </SidebarSection>
          <SidebarSection title="Settings">
            <SettingsCard {...{ touch, gamepads }} hasSound={snapshot.hasSound} />
          </SidebarSection>
        </GameSidebar>
      </div>
    </div>
  );
}

/** Aspect ratio of the picture as a CSS variable. */
function aspectStyle(game: Game, size: { width: number; height: number } | null): CSSProperties {
  const { width, height } = size ?? { width: 4 / game.show.pixel_aspect, height: 3 };
  return { "--shape": (width * game.show.pixel_aspect) / height } as CSSProperties;
}

/** Returns the finished episodes of this game before the current one, oldest first. */
function useEpisodeResults(
  game: Game,
  options: Options,
  session: Session,
  phase: Phase,
): readonly EpisodeResult[] {
  const client = useQueryClient();
  const { data } = useQuery(episodesQuery(session.userId));
  const { kind } = phase;
  const shown = phase.kind === "ended" ? phase.episode : null;
  useEffect(() => {
    if (kind === "countdown" || kind === "starting") {
      void client.invalidateQueries({ queryKey: ["episodes"] });
    }
  }, [kind, client]);
  const here = useLocalResults(phase, options);
  return useMemo(
    () => finishedEpisodes(data ?? [], game.id, options, shown, here),
    [data, game.id, options, shown, here],
  );
}

/** Collects the episodes that finished on this page. */
function useLocalResults(phase: Phase, options: Options): readonly LocalEpisodeResult[] {
  const [ended, setEnded] = useState<readonly LocalEpisodeResult[]>([]);
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

/** Opens the library after the player has quit and the episode has ended on the server. */
function useNavigateAfterLeaving(phase: Phase): void {
  const { kind } = phase;
  const navigate = useNavigate();
  const [leaving, setLeaving] = useState(false);
  if (phase.kind === "leaving" && !phase.thenRestart && !leaving) setLeaving(true);
  useEffect(() => {
    if (leaving && kind !== "leaving") void navigate(paths.games);
  }, [leaving, kind, navigate]);
}
