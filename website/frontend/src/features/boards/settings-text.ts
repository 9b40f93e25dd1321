import type { Game } from "@/api/client";
import { describeOptions } from "@/lib/describe-options";

/** Describes the settings of a board, such as "Size 8 × 8, Speed 0.5×"; `game` has the labels. */
export function describeSettings(
  settings: Readonly<Record<string, string>>,
  game?: Pick<Game, "options">,
): string {
  if (game !== undefined) return describeOptions(game.options, settings) || "Default settings";
  const parts = Object.entries(settings).map(([name, value]) => {
    const label = name.replaceAll("_", " ");
    return `${label.charAt(0).toUpperCase()}${label.slice(1)} ${value}${name === "speed" ? "×" : ""}`;
  });
  return parts.length === 0 ? "Default settings" : parts.join(", ");
}

/** 1 -> "1st", 2 -> "2nd", 11 -> "11th" */
export function formatRank(rank: number): string {
  const suffixes: Partial<Record<Intl.LDMLPluralRule, string>> = {
    one: "st",
    two: "nd",
    few: "rd",
  };
  const rule = new Intl.PluralRules("en", { type: "ordinal" }).select(rank);
  return `${rank.toLocaleString("en")}${suffixes[rule] ?? "th"}`;
}
