import { useLingui } from "@lingui/react";
import { useId } from "react";
import { Link, useSearchParams } from "react-router";

import type { Game, GameAgent } from "@/api/client";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";

import { SidebarSection } from "./game-sidebar";

interface Props {
  game: Game;
  /** The agent that plays; null: none. */
  agent: GameAgent | null;
}

/** Selects an agent that plays until the player takes over. */
export function AgentPicker({ game, agent }: Props) {
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
    <p className="mt-6">
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
    </p>
  );
}

/** What the agent does, and how to take over from it. */
export function AgentPanel({ game, agent }: { game: Game; agent: GameAgent }) {
  const { i18n } = useLingui();
  return (
    <SidebarSection title={i18n._("{agent} plays", { agent: agent.name })}>
      <p className="text-pretty">
        {game.pace.kind === "real-time"
          ? i18n._(
              "Press any key of the game to take over. The agent goes on half a second after you let go.",
            )
          : i18n._(
              "Press any key of the game, or tap a control, to make a move yourself. The agent goes on after two seconds without a move of yours.",
            )}
      </p>
      <p className="mt-3 text-sm text-dim">
        {i18n._("The recording says who acted at each step. Such rounds are not ranked.")}
      </p>
      <Link className={`mt-4 ${buttonClass("plain")}`} to={paths.play(game.id)}>
        {i18n._("Play without agent")}
      </Link>
    </SidebarSection>
  );
}
