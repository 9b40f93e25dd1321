import { useLingui } from "@lingui/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import {
  lazy,
  Suspense,
  useEffect,
  useMemo,
  useState,
  type CSSProperties,
  type ReactNode,
} from "react";
import { useNavigate } from "react-router";

import { api, type Game, type GameAgent } from "@/api/client";
import { usePreferences } from "@/api/preferences";
import { episodesQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { paths } from "@/config/paths";
import { describeOptions } from "@/lib/describe-options";
import { storedFor } from "@/lib/game-ids";
import { writeOptions } from "@/lib/write-options";
import { hueFor } from "@/lib/hue";
import { usePrefersReducedMotion } from "@/lib/media";
import type { Engine, Phase, Snapshot } from "@/play/engine";

import { AgentBar } from "./agent-bar";
import { AgentPanel, AgentPicker } from "./agent-picker";
import { type AgentControls, useAgentControls } from "./agent-setup";
import type { Branch } from "./branch/branch";
import { GameMachine } from "./game-machine";
import { GameSidebar, SidebarSection } from "./game-sidebar";
import { ControlsCard } from "./controls-card";
import type { Options } from "./options";
import { Overlay } from "./overlay";
import {
  bestScore,
  finishedEpisodes,
  type LocalEpisodeResult,
  type EpisodeResult,
} from "./episode-results";
import type { Race } from "./ghost/race";
import { RaceBest } from "./ghost/race-best";
import { SettingsCard } from "./settings-card";
import { TopBar } from "./top-bar";
import { useEngine, useSnapshot, type GetTicket } from "./use-engine";
import { useOptions } from "./use-options";
import { type PlayControls, usePlayControls } from "./use-play-controls";
import { useVibration } from "./use-vibration";

const WatchCard = lazy(async () => ({ default: (await import("./watch-card")).WatchCard }));
const DISCONNECTED: ReadonlySet<Phase["kind"]> = new Set(["connecting", "reconnecting", "closed"]);

interface GamePageProps {
  game: Game;
  session: Session;
  /** Day of the daily challenge that is played; null: an ordinary game. */
  daily?: string | null;
  /** Renders the place of a finished episode on leaderboards. */
  renderPlace?: (episodeId: string) => ReactNode;
  /** Agent that plays until the player takes over; null: none. */
  agent?: GameAgent | null;
  race?: Race;
  branch?: Branch;
}

/** A daily challenge has no options. */
const NO_OPTIONS: Options = {};

/** Page of one game: title bar, screen, controls and sidebar. */
export function GamePage({
  game,
  session,
  daily = null,
  agent = null,
  renderPlace,
  race,
  branch,
}: GamePageProps) {
  const [engineKey, setEngineKey] = useState(0);
  const [ownOptions] = useOptions(game);
  const options = (race ?? branch)?.options ?? (daily === null ? ownOptions : NO_OPTIONS);
  const getTicket = () => requestTicket(game, daily, agent, race, branch);
  const engine = useEngine(game, options, engineKey, getTicket, race?.onEngine);
  if (engine === null) return null;
  return (
    <GameView
      key={engineKey}
      {...{ engine, game, options, session, daily, agent, renderPlace, race, branch }}
      onReopen={() => setEngineKey(engineKey + 1)}
    />
  );
}

function requestTicket(
  game: Game,
  daily: string | null,
  agent: GameAgent | null,
  race: Race | undefined,
  branch: Branch | undefined,
): ReturnType<GetTicket> {
  if (daily !== null) return api.dailyTicket(daily);
  return api.ticket({
    game_id: game.id,
    ghost: race?.episode ?? null,
    branch: branch === undefined ? null : { episode: branch.episode, frame: branch.frame },
    is_preparation: false,
    agent_version: null,
    agent: agent?.name ?? null,
    share_token: (race ?? branch)?.share ?? null,
  });
}

interface Props {
  engine: Engine;
  game: Game;
  options: Options;
  session: Session;
  daily: string | null;
  agent: GameAgent | null;
  renderPlace: ((episodeId: string) => ReactNode) | undefined;
  race: Race | undefined;
  branch: Branch | undefined;
  onReopen: () => void;
}

function GameView({
  engine,
  game,
  options,
  session,
  daily,
  agent,
  renderPlace,
  race,
  branch,
  onReopen,
}: Props) {
  const snapshot = useSnapshot(engine);
  const ownResults = useEpisodeResults(game, options, session, snapshot.phase);
  // A score that counts from a recorded frame, or to which an agent has added, does not compare.
  const results = branch === undefined && agent === null ? ownResults : null;
  const hasOptions = daily === null && race === undefined && branch === undefined;
  const { kind } = snapshot.phase;
  const preferences = usePreferences();
  const hasVibration = !usePrefersReducedMotion() && preferences.haptics;
  const controls = usePlayControls({
    ...{ engine, game, snapshot, preferences, hasVibration },
    customKeys: storedFor(preferences.keys, game),
    isSingleTry: daily !== null,
  });
  const { touch } = controls;
  const agentControls = useAgentControls(engine, agent !== null);
  useVibration(snapshot.lives, touch, hasVibration);
  useNavigateAfterLeaving(snapshot.phase);

  return (
    <div
      style={{ "--hue": hueFor(game.id) } as CSSProperties}
      data-phase={kind}
      className="flex min-h-dvh flex-col"
    >
      <TopBar {...{ engine, game, snapshot, preferences }} hasAgent={agent !== null} />
      <div className="relative lg:grid lg:flex-1 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <GameMachine
          {...{ engine, game, snapshot, controls }}
          best={bestScore(results ?? [])}
          layer={snapshot.ghost?.seed === "same" && kind !== "ready" && race?.layer}
          agentBar={
            agent !== null && (
              <AgentBar {...{ engine, game, snapshot, agentControls }} keys={controls.keys} />
            )
          }
          overlay={
            <Overlay
              {...{ engine, game, snapshot, results, touch, daily, renderPlace, onReopen }}
              hasOptions={hasOptions}
              hasCover={branch === undefined}
            >
              {hasOptions && agent === null && <RaceBest {...{ game, options, session }} />}
              {hasOptions && <AgentPicker {...{ game, agent, agentControls }} />}
            </Overlay>
          }
        />
        <Sidebar
          {...{ engine, game, options, snapshot, daily, agent, race, branch, controls }}
          agentControls={agentControls}
        >
          {results ?? []}
        </Sidebar>
      </div>
    </div>
  );
}

interface SidebarProps extends Pick<
  Props,
  "engine" | "game" | "options" | "daily" | "agent" | "race" | "branch"
> {
  snapshot: Snapshot;
  controls: PlayControls;
  agentControls: AgentControls;
  /** Results of earlier episodes that compare with those of this page, oldest first. */
  children: readonly EpisodeResult[];
}

/** What is beside the screen: the game, what it is played with, controls, settings, watchers. */
function Sidebar(props: SidebarProps) {
  const { engine, game, options, snapshot, daily, agent, race, branch, controls, children } = props;
  const { keys, touch, gamepads, isChoosingRef } = controls;
  const { i18n } = useLingui();
  return (
    <GameSidebar
      game={game}
      optionsText={describeOptions(game.options, options)}
      board={daily === null ? paths.board(game.id, writeOptions(options)) : paths.daily}
      results={children}
      notice={snapshot.notice}
    >
      {race?.panel(snapshot.ghost)}
      {branch?.panel}
      {agent !== null && <AgentPanel {...{ game, agent }} agentControls={props.agentControls} />}
      <SidebarSection title={i18n._("Controls")}>
        <ControlsCard {...{ game, keys, isChoosingRef }} hasSound={snapshot.hasSound} />
      </SidebarSection>
      <SidebarSection title={i18n._("Settings")}>
        <SettingsCard {...{ touch, gamepads }} hasSound={snapshot.hasSound} />
      </SidebarSection>
      {snapshot.canBeWatched && (
        <SidebarSection title={i18n._("Watchers")}>
          <Suspense>
            <WatchCard
              engine={engine}
              watchable={snapshot.watchable}
              isConnected={!DISCONNECTED.has(snapshot.phase.kind)}
            />
          </Suspense>
        </SidebarSection>
      )}
    </GameSidebar>
  );
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
