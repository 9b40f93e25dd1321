import { useLingui } from "@lingui/react";
import { useEffect, useId, useState } from "react";

import type { Game } from "@/api/client";
import type { Engine, Snapshot } from "@/play/engine";
import type { Actor } from "@/wire/messages";

import type { AgentControls } from "./agent-setup";
import type { Keys } from "./keys";
import { ReasonButtons } from "./reason-buttons";

interface Props {
  engine: Engine;
  game: Game;
  snapshot: Snapshot;
  agentControls: AgentControls;
  /** Keys of the game, which answer no question. */
  keys: Keys;
}

/** Paces of an agent in a turn-based game; `null` is no move at all. */
const PACES: readonly (readonly [string, number | null])[] = [
  [/*i18n*/ "Stopped", null],
  [/*i18n*/ "Slow", 1000],
  [/*i18n*/ "Normal", 500],
  [/*i18n*/ "Fast", 200],
];
const QUESTION_MS = 8000;
const toggleClass =
  "min-h-9 rounded-full border-2 border-line px-3 text-sm font-bold text-dim hover:border-dim hover:text-ink aria-pressed:border-ink aria-pressed:bg-ink aria-pressed:text-bg";

/** Line above the screen: who acts, and how the agent plays. */
export function AgentBar({ engine, game, snapshot, agentControls, keys }: Props) {
  const isTurnBased = game.pace.kind === "turn-based";
  const { interval_ms: interval, mode } = agentControls.setup;
  const [isAsking, stopAsking] = useQuestion(snapshot);
  if (snapshot.actor === null) return null;
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-1">
      <ActorLine
        actor={snapshot.actor}
        isTurnBased={isTurnBased}
        isStopped={interval === null}
        isTogether={mode === "together"}
      />
      {isTurnBased && (
        <PaceButtons
          interval={interval}
          onChange={(interval_ms) => agentControls.change({ interval_ms })}
        />
      )}
      <ReasonButtons
        keys={keys}
        // In real time the place is kept free, so that the picture does not move.
        hidden={isAsking ? undefined : isTurnBased ? "hidden" : "invisible"}
        onChoose={(reason) => {
          engine.giveReason(reason);
          stopAsking();
        }}
      />
    </div>
  );
}

/** Whether to ask why the player took over: for some seconds after they have given back. */
function useQuestion({ actor, phase }: Snapshot): [boolean, () => void] {
  const [isAsking, setIsAsking] = useState(false);
  const [last, setLast] = useState(actor);
  if (actor !== last) {
    setLast(actor);
    setIsAsking(last?.actor === "human" && actor?.actor === "agent");
  }
  useEffect(() => {
    if (!isAsking) return;
    const timer = setTimeout(() => setIsAsking(false), QUESTION_MS);
    return () => clearTimeout(timer);
  }, [isAsking]);
  return [isAsking && phase.kind === "playing", () => setIsAsking(false)];
}

interface ActorLineProps {
  actor: Actor;
  isTurnBased: boolean;
  isStopped: boolean;
  isTogether: boolean;
}

function ActorLine({
  actor: { actor, agent },
  isTurnBased,
  isStopped,
  isTogether,
}: ActorLineProps) {
  const { i18n } = useLingui();
  const isAgent = actor === "agent";
  const describe = (): string => {
    if (isTurnBased && isStopped) return i18n._("{agent} is stopped. You play.", { agent });
    if (actor === "shared") return i18n._("You and {agent} play together.", { agent });
    if (isAgent && isTogether)
      return i18n._("{agent} plays. Press a key to play with it.", { agent });
    if (isAgent) return i18n._("{agent} plays. Press a key to take over.", { agent });
    return isTurnBased
      ? i18n._("You play. {agent} goes on after two seconds.", { agent })
      : i18n._("You play. {agent} goes on when you let go.", { agent });
  };
  return (
    <p data-testid="actor" data-actor={actor} className="flex items-center gap-2 text-sm">
      <span className={`size-3 shrink-0 rounded-full ${isAgent ? "bg-teal" : "bg-marigold"}`} />
      {describe()}
    </p>
  );
}

interface PaceButtonsProps {
  interval: number | null;
  onChange: (interval: number | null) => void;
}

/** Buttons rather than a list, because keys on a button still play. */
function PaceButtons({ interval, onChange }: PaceButtonsProps) {
  const { i18n } = useLingui();
  const id = useId();
  return (
    <div role="group" aria-labelledby={id} className="flex flex-wrap items-center gap-1">
      <span id={id} className="mr-1 text-sm text-dim max-sm:sr-only">
        {i18n._("Agent's pace")}
      </span>
      {PACES.map(([name, value]) => (
        <button
          key={name}
          type="button"
          className={toggleClass}
          aria-pressed={interval === value}
          onClick={() => onChange(value)}
        >
          {i18n._(name)}
        </button>
      ))}
    </div>
  );
}
