import { useLingui } from "@lingui/react";
import { type CSSProperties, type ReactNode, useEffect, useRef, useState } from "react";

import type { Game } from "@/api/client";
import { usePreferences } from "@/api/preferences";
import { KeyCap } from "@/components/key-cap";
import { describeOptions } from "@/lib/describe-options";
import { translateGameText } from "@/lib/game-texts";
import { hueFor } from "@/lib/hue";
import type { Engine } from "@/play/engine";

import { GameMachine } from "./game-machine";
import type { Keys } from "./keys";
import type { Options } from "./options";
import { SoundButton } from "./sound-button";
import { TrialOverlay } from "./trial-overlay";
import { type GetTicket, useEngine, useSnapshot } from "./use-engine";
import { usePlayControls } from "./use-play-controls";

/** A recorded game that is shown while the trial is played. */
export interface TrialGhost {
  /** Connects the ghost to the engine. Returns a function that disconnects it. */
  onEngine: (engine: Engine) => () => void;
  /** Layer over the picture of the game, if both begin with the same seed. */
  layer: ReactNode;
  /** The ghost beside the game. */
  picture: ReactNode;
}

interface Props {
  game: Game;
  /** Options of the study, which the server applies. */
  options: Options;
  /** Which trial it is. */
  label: string;
  /** Shown before the game. */
  text: string;
  getTicket: GetTicket;
  /** Whether the game has sound; null: the participant chooses. */
  sound: boolean | null;
  ghost: TrialGhost | null;
  /** Called when the player continues after the end of the game. */
  onEnded: () => void;
}

/**
 * Page of one game in a study. Unlike the page of a game it has no options, no other games, and the
 * keys of the manifest, so that all participants have the same.
 */
export function TrialPage(props: Props) {
  const [engineKey, setEngineKey] = useState(0);
  const engine = useEngine(props.game, props.options, engineKey, props.getTicket);
  if (engine === null) return null;
  return (
    <TrialView
      key={engineKey}
      {...props}
      engine={engine}
      onReopen={() => setEngineKey(engineKey + 1)}
    />
  );
}

function TrialView(props: Props & { engine: Engine; onReopen: () => void }) {
  const { i18n } = useLingui();
  const { game, options, label, engine, sound, ghost } = props;
  const snapshot = useSnapshot(engine);
  const stored = usePreferences();
  const preferences = sound === null ? stored : { ...stored, sound };
  const controls = usePlayControls({
    ...{ engine, game, snapshot, preferences },
    isSingleTry: true,
    isSoundFixed: sound !== null,
    hasVibration: false,
  });
  useGhost(engine, ghost);
  const { kind } = snapshot.phase;
  const isGhostOver = snapshot.ghost?.seed === "same";
  const optionsText = describeOptions(game.options, options);
  return (
    <div
      style={{ "--hue": hueFor(game.id) } as CSSProperties}
      data-phase={kind}
      translate="no"
      className="flex min-h-dvh flex-col"
    >
      <header className="z-20 flex h-14 shrink-0 items-center gap-1 pr-2 marquee sm:h-16 sm:pr-4 low:h-11">
        <h1 className="line-clamp-2 min-w-0 flex-1 px-3 text-[clamp(1.25rem,3.6vw,2.6rem)] sign text-balance sm:px-5 low:text-xl">
          {game.name}
        </h1>
        {kind !== "ended" && <p className="px-3 font-bold">{label}</p>}
        {snapshot.hasSound && sound === null && <SoundButton on={preferences.sound} />}
      </header>
      <div className="relative lg:grid lg:flex-1 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <GameMachine
          {...{ engine, game, snapshot, controls }}
          best={null}
          layer={isGhostOver && kind !== "ready" && ghost?.layer}
          overlay={<TrialOverlay {...props} snapshot={snapshot} touch={controls.touch} />}
        />
        <aside className="flex flex-col gap-6 p-5 sm:p-8 lg:p-6">
          {snapshot.notice !== null && (
            <p role="status" className="rounded-xl bg-raised p-4">
              {snapshot.notice.text}
            </p>
          )}
          {ghost !== null && (
            <section>
              <h2 className="mb-3 text-2xl sign">{i18n._("Your last game")}</h2>
              <p className="text-pretty">
                {isGhostOver
                  ? i18n._("Your last game is shown over this one, at the same time of the game.")
                  : i18n._("Your last game is shown here, at the same time of the game.")}
              </p>
              {!isGhostOver && ghost.picture}
            </section>
          )}
          <section>
            <h2 className="mb-3 text-2xl sign">{i18n._("How to play")}</h2>
            <p className="text-pretty">{translateGameText(game.summary)}</p>
            {optionsText !== "" && <p className="mt-3 font-bold">{optionsText}</p>}
          </section>
          <ControlList game={game} keys={controls.keys} />
        </aside>
      </div>
    </div>
  );
}

/** Lets a ghost follow the game. */
function useGhost(engine: Engine, ghost: TrialGhost | null): void {
  // What it shows is fixed for a trial; the rest of `ghost` is new with each render.
  const ghostRef = useRef(ghost);
  useEffect(() => ghostRef.current?.onEngine(engine), [engine]);
}

/** Lists the keys of the game. */
function ControlList({ game, keys }: { game: Game; keys: Keys }) {
  const { i18n } = useLingui();
  return (
    <section>
      <h2 className="mb-3 text-2xl sign">{i18n._("Controls")}</h2>
      <ul className="grid gap-2">
        {game.controls.map(({ name, label }) => (
          <li key={name} className="flex flex-wrap items-center gap-2">
            <span className="mr-auto">{label}</span>
            {keys[name]?.map((code) => (
              <KeyCap key={code} code={code} />
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
