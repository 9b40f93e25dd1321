import { useMemo } from "react";
import { useSearchParams } from "react-router";

import type { Game } from "@/api/client";
import { updatePreferences, usePreferences } from "@/api/preferences";

import { validOptions, type Options } from "./options";

/**
 * Returns the selected options of a game, and a function that selects a value. The address names
 * them, so that it can be shared; options that it does not name are those of the last time.
 */
export function useOptions(game: Game): [Options, (name: string, value: string) => void] {
  const { options: all } = usePreferences();
  const [parameters, setParameters] = useSearchParams();
  const saved = all[game.id];
  const query = parameters.toString();
  const options = useMemo(
    () => validOptions(game, { ...saved, ...Object.fromEntries(new URLSearchParams(query)) }),
    [game, saved, query],
  );
  const select = (name: string, value: string) => {
    const selected = validOptions(game, { ...options, [name]: value });
    updatePreferences({ options: { ...all, [game.id]: selected } });
    const next = new URLSearchParams(query);
    for (const option of game.options) {
      const chosen = selected[option.name];
      if (chosen === undefined) next.delete(option.name);
      else next.set(option.name, chosen);
    }
    setParameters(next, { replace: true, preventScrollReset: true });
  };
  return [options, select];
}
