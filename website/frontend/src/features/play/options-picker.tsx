import { useId } from "react";

import type { Game } from "@/api/client";
import { updatePreferences, usePreferences } from "@/api/preferences";

import { validOptions, formatOptionValue, type Options } from "./options";

/** Selects the game's options (mode, difficulty, speed). They are recorded with each episode. */
export function OptionsPicker({ game }: { game: Game }) {
  const { options: all } = usePreferences();
  const selected = validOptions(game, all[game.id]);
  if (game.options.length === 0) return null;
  const setOption = (name: string, value: string) => {
    const rest = Object.entries(selected).filter(([other]) => other !== name);
    const now: Options = Object.fromEntries(value === "" ? rest : [...rest, [name, value]]);
    updatePreferences({ options: { ...all, [game.id]: now } });
  };
  return (
    <div className="mt-6 flex flex-wrap justify-center gap-3">
      {game.options.map(({ name, label, values }) => (
        <OptionSelect
          key={name}
          label={label}
          value={selected[name] ?? ""}
          onChange={(to) => setOption(name, to)}
        >
          {values.map((value): [string, string] => [value, formatOptionValue(name, value)])}
        </OptionSelect>
      ))}
    </div>
  );
}

interface OptionSelectProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Values and their labels. */
  children: [string, string][];
}

function OptionSelect({ label, value, onChange, children }: OptionSelectProps) {
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
        <option value="">Default</option>
        {children.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </span>
  );
}
