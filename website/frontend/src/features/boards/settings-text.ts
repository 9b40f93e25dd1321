import { i18n } from "@/lib/i18n";
import type { Game } from "@/api/client";
import { describeOptions } from "@/lib/describe-options";

/** Describes the settings of a board, such as "Size 8 × 8, Speed 0.5×"; `game` has the labels. */
export function describeSettings(
  settings: Readonly<Record<string, string>>,
  game?: Pick<Game, "options">,
): string {
  if (game !== undefined)
    return describeOptions(game.options, settings) || i18n._("Default settings");
  const parts = Object.entries(settings).map(([name, value]) => {
    const label = name.replaceAll("_", " ");
    return `${label.charAt(0).toUpperCase()}${label.slice(1)} ${value}${name === "speed" ? "×" : ""}`;
  });
  return parts.length === 0 ? i18n._("Default settings") : parts.join(", ");
}

/** 1 -> "1st", 2 -> "2nd", 11 -> "11th" */
export function formatRank(rank: number): string {
  return i18n._("{rank, selectordinal, one {#st} two {#nd} few {#rd} other {#th}}", { rank });
}
