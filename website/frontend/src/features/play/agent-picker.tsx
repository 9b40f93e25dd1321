import { useLingui } from "@lingui/react";
import { useId } from "react";
import { Link, useSearchParams } from "react-router";

import type { Game, GameAgent } from "@/api/client";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";
import type { AgentSetup } from "@/wire/messages";

import { type AgentControls, canPlayTogether } from "./agent-setup";
import { SidebarSection } from "./game-sidebar";

const TAKE_OVER_TEXT =
  /*i18n*/ "Press any key of the game to take over. The agent goes on half a second after you let go.";
const TOGETHER_TEXT =
  /*i18n*/ "Press any key of the game to play together with the agent: your keys replace only what cannot act beside them. Fire while it steers, or steer while it fires.";
const TURN_BASED_TEXT =
  /*i18n*/ "Press any key of the game, or tap a control, to make a move yourself. The agent goes on after two seconds without a move of yours.";

interface Props {
  game: Game;
  /** The agent that plays; null: none. */
  agent: GameAgent | null;
  agentControls: AgentControls;
}

/** Selects an agent that plays until the player takes over. */
export function AgentPicker({ game, agent, agentControls }: Props) {
  const { i18n } = useLingui();
  const [parameters, setParameters] = useSearchParams();
  const id = useId();
  if (game.agents.length === 0) return null;
  const choose = (name: string) => {
    const next = new URLSearchParams(parameters);
    if (name === "") next.delete("agent");
    else next.set("agent", name);
    setParameters(next, { replace: true, preventScrollReset: true });
  };
  return (
    <div className="mt-6 flex flex-wrap items-center justify-center gap-x-4 gap-y-2">
      <span className="inline-flex items-center gap-2 rounded-full bg-raised py-1 pr-2 pl-4 text-ink">
        <label htmlFor={id} className="text-sm font-bold">
          {i18n._("Agent")}
        </label>
        <select
          id={id}
          value={agent?.name ?? ""}
          onChange={(event) => choose(event.target.value)}
          className="min-h-9 rounded-full bg-surface px-3"
        >
          <option value="">{i18n._("None, you play")}</option>
          {game.agents.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </span>
      {agent !== null && canPlayTogether(game) && <ModeButtons {...agentControls} />}
    </div>
  );
}

const MODES: readonly (readonly [AgentSetup["mode"], string])[] = [
  ["take-over", /*i18n*/ "Take over"],
  ["together", /*i18n*/ "Play together"],
];

/** What the player's keys do while an agent plays. */
function ModeButtons({ setup, change }: AgentControls) {
  const { i18n } = useLingui();
  return (
    <span
      role="group"
      aria-label={i18n._("What your keys do")}
      className="inline-flex flex-wrap gap-1"
    >
      {MODES.map(([mode, name]) => (
        <button
          key={mode}
          type="button"
          className="min-h-9 rounded-full border-2 border-line px-3 text-sm font-bold text-dim hover:border-dim hover:text-ink aria-pressed:border-ink aria-pressed:bg-ink aria-pressed:text-bg"
          aria-pressed={setup.mode === mode}
          onClick={() => change({ mode })}
        >
          {i18n._(name)}
        </button>
      ))}
    </span>
  );
}

interface PanelProps {
  game: Game;
  agent: GameAgent;
  agentControls: AgentControls;
}

/** What the agent does, and how to take over from it or to play together with it. */
export function AgentPanel({ game, agent, agentControls }: PanelProps) {
  const { i18n } = useLingui();
  const isShareable = canPlayTogether(game);
  return (
    <SidebarSection title={i18n._("{agent} plays", { agent: agent.name })}>
      {isShareable && (
        <p className="mb-3">
          <ModeButtons {...agentControls} />
        </p>
      )}
      <p className="text-pretty">{i18n._(describeKeys(game, agentControls.setup.mode))}</p>
      {!isShareable && game.pace.kind === "real-time" && (
        <p className="mt-3 text-sm text-dim">
          {i18n._(
            "No two controls of this game act at the same time, so you and the agent cannot play together.",
          )}
        </p>
      )}
      <p className="mt-3 text-sm text-dim">
        {i18n._("The recording says who acted at each step. Such rounds are not ranked.")}
      </p>
      <Link className={`mt-4 ${buttonClass("plain")}`} to={paths.play(game.id)}>
        {i18n._("Play without agent")}
      </Link>
    </SidebarSection>
  );
}

function describeKeys({ pace }: Game, mode: AgentSetup["mode"]): string {
  if (pace.kind === "turn-based") return TURN_BASED_TEXT;
  return mode === "together" ? TOGETHER_TEXT : TAKE_OVER_TEXT;
}
