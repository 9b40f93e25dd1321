import { useId } from "react";

import type { Game } from "@/api/client";
import { prefer, usePreferences } from "@/api/preferences";

import { optionsOf, wordValue, type Options } from "./options";

/** Mode, difficulty, speed: what the game offers, before it starts. The choice is on record with each round. */
export function Chooser({ game }: { game: Game }) {
  const { options: all } = usePreferences();
  const chosen = optionsOf(game, all[game.id]);
  if (game.options.length === 0) return null;
  const choose = (name: string, value: string) => {
    const rest = Object.entries(chosen).filter(([other]) => other !== name);
    const now: Options = Object.fromEntries(value === "" ? rest : [...rest, [name, value]]);
    prefer({ options: { ...all, [game.id]: now } });
  };
  return (
    <div className="mt-6 flex flex-wrap justify-center gap-3">
      {game.options.map(({ name, label, values }) => (
        <Choice
          key={name}
          label={label}
          value={chosen[name] ?? ""}
          onChange={(to) => choose(name, to)}
        >
          {values.map((value): [string, string] => [value, wordValue(name, value)])}
        </Choice>
      ))}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Value and what stands for it. */
  children: [string, string][];
}

function Choice({ label, value, onChange, children }: ChoiceProps) {
  const id = useId();
  return (
    <span className="inline-flex items-center gap-2 rounded-full bg-raised py-1 pr-2 pl-4 text-ink">
      <label htmlFor={id} className="text-sm font-bold">
        {label}
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="min-h-9 rounded-full bg-surface px-3"
      >
        <option value="">Standard</option>
        {children.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </span>
  );
}
