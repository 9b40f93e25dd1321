import { useLingui } from "@lingui/react";
import { useId } from "react";

import type { Game } from "@/api/client";
import { labelOfValue } from "@/lib/describe-options";
import { translateGameText } from "@/lib/game-texts";

import { useOptions } from "./use-options";

/** Selects the game's options (size, mode, speed). They are recorded with each episode. */
export function OptionsPicker({ game }: { game: Game }) {
  const [selected, select] = useOptions(game);
  if (game.options.length === 0) return null;
  return (
    <div className="mt-6 flex flex-wrap justify-center gap-3">
      {game.options.map((option) => (
        <OptionSelect
          key={option.name}
          label={translateGameText(option.label)}
          value={selected[option.name] ?? option.default ?? ""}
          hasDefault={option.default !== null}
          onChange={(to) => select(option.name, to)}
        >
          {option.values.map((value): [string, string] => [value, labelOfValue(option, value)])}
        </OptionSelect>
      ))}
    </div>
  );
}

interface OptionSelectProps {
  label: string;
  value: string;
  /** True if one of the values is the default, so that no entry is needed for it. */
  hasDefault: boolean;
  onChange: (value: string) => void;
  /** Values and their labels. */
  children: [string, string][];
}

function OptionSelect({ label, value, hasDefault, onChange, children }: OptionSelectProps) {
  const { i18n } = useLingui();
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
        {!hasDefault && <option value="">{i18n._("Default")}</option>}
        {children.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </span>
  );
}
