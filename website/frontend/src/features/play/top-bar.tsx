import { useLingui } from "@lingui/react";
import type { Game, Preferences } from "@/api/client";
import { ThemeButton } from "@/components/theme-button";
import { HomeLink } from "@/components/wordmark";
import { useFullScreen } from "@/lib/full-screen";
import type { Engine, Snapshot } from "@/play/engine";

import { SoundButton } from "./sound-button";

interface Props {
  engine: Engine;
  game: Game;
  snapshot: Snapshot;
  preferences: Preferences;
  /** Whether an agent moves without the player, so that a turn-based game can be paused too. */
  hasAgent: boolean;
}

const toolClass =
  "min-h-10 rounded-full px-3 text-sm font-bold whitespace-nowrap hover:bg-black/10 active:bg-black/20";

/** Title bar with the controls for the running game. */
export function TopBar({ engine, game, snapshot, preferences, hasAgent }: Props) {
  const { i18n } = useLingui();
  const { kind } = snapshot.phase;
  const playing = kind === "playing";
  const [isFull, toggleFull] = useFullScreen();
  return (
    <header className="@container z-20 flex h-14 shrink-0 items-center gap-1 pr-2 marquee sm:h-16 sm:pr-4 low:h-11">
      <HomeLink />
      <h1 className="line-clamp-2 min-w-0 flex-1 px-3 text-[clamp(1.25rem,3.6vw,2.6rem)] sign text-balance sm:px-5 low:text-xl">
        {game.name}
      </h1>
      {(playing || kind === "paused") && <ModeBadge by={snapshot.steppedBy} />}
      {preferences.gauge && <LatencyGauge {...snapshot} />}
      {snapshot.hasSound && <SoundButton on={preferences.sound} />}
      {playing && (game.pace.kind === "real-time" || hasAgent) && (
        <button type="button" className={toolClass} onClick={() => engine.pause()}>
          {i18n._("Pause")}
        </button>
      )}
      {(playing || kind === "paused") && (
        <button type="button" className={toolClass} onClick={() => engine.leave()}>
          {i18n._("Quit")}
        </button>
      )}
      {toggleFull !== null && (
        <button type="button" className={`${toolClass} @max-3xl:hidden`} onClick={toggleFull}>
          {isFull ? i18n._("Exit full screen") : i18n._("Full screen")}
        </button>
      )}
      <span className="max-sm:hidden">
        <ThemeButton />
      </span>
    </header>
  );
}

const MODES = {
  page: {
    name: /*i18n*/ "Lockstep",
    meaning:
      /*i18n*/ "Your browser runs the game and the server repeats each step, so keys do not wait for the network.",
  },
  server: {
    name: /*i18n*/ "Streamed",
    meaning: /*i18n*/ "The server runs the game and sends pictures, so keys wait for the network.",
  },
} as const;

/** Shows whether the game runs in lockstep or is streamed. */
function ModeBadge({ by }: { by: Snapshot["steppedBy"] }) {
  const { i18n } = useLingui();
  if (by === null) return null;
  const name = i18n._(MODES[by].name);
  const meaning = i18n._(MODES[by].meaning);
  return (
    <span
      data-testid="mode"
      data-stepped-by={by}
      title={meaning}
      className="mx-1 rounded-full border border-current px-2 py-0.5 text-xs font-bold whitespace-nowrap @max-3xl:hidden"
    >
      {name}
      <span className="sr-only">: {meaning}</span>
    </span>
  );
}

/** Shows latency and FPS. */
function LatencyGauge({ latencyMs, fps }: Pick<Snapshot, "latencyMs" | "fps">) {
  const { i18n } = useLingui();
  if (latencyMs === null) return null;
  return (
    <span
      data-testid="gauge"
      className="mx-2 text-xs font-semibold whitespace-nowrap tabular-nums @max-3xl:hidden"
    >
      <span className="sr-only">{i18n._("Latency:")} </span>
      {`${latencyMs} ms`}
      {fps !== null && (
        <>
          <span aria-hidden="true"> · </span>
          <span className="sr-only">{i18n._(", frame rate:")} </span>
          {`${fps} FPS`}
        </>
      )}
    </span>
  );
}
