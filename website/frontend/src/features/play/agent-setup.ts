import { useEffect, useState } from "react";

import type { Game } from "@/api/client";
import type { Engine } from "@/play/engine";
import type { AgentSetup } from "@/wire/messages";

/** How the agent plays, and a function that changes it. */
export interface AgentControls {
  setup: AgentSetup;
  change: (changed: Partial<AgentSetup>) => void;
}

const INITIAL: AgentSetup = { interval_ms: 500, mode: "take-over" };

/** Whether a player and an agent can act in one step, as the server decides it too. */
export const canPlayTogether = ({ pace, actions }: Pick<Game, "pace" | "actions">): boolean =>
  pace.kind === "real-time" && actions.some(({ press }) => press.length > 1);

/** Keeps how the agent plays while this game is open, and tells the engine. */
export function useAgentControls(engine: Engine, hasAgent: boolean): AgentControls {
  const [setup, setSetup] = useState(INITIAL);
  useEffect(() => {
    if (hasAgent) engine.setUpAgent(setup);
  }, [engine, hasAgent, setup]);
  return { setup, change: (changed) => setSetup({ ...setup, ...changed }) };
}
