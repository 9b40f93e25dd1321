import { translateGameText } from "./game-texts";

interface Option {
  name: string;
  label: string;
  values: readonly string[];
  labels: readonly string[];
  default: string | null;
}

/** Returns the text of an option's value, such as "0.5×" or "8 × 8". */
export function labelOfValue({ name, values, labels }: Option, value: string): string {
  return name === "speed" ? `${value}×` : translateGameText(labels[values.indexOf(value)] ?? value);
}

/**
 * Describes the options that a game is played with, such as "Size 8 × 8, Speed 0.5×". An option
 * that is not chosen is named only if the game has a default of its own for it.
 */
export function describeOptions(
  options: readonly Option[],
  chosen: Readonly<Record<string, string>>,
): string {
  return options
    .flatMap((option) => {
      const value = chosen[option.name] ?? option.default;
      return value === null
        ? []
        : [`${translateGameText(option.label)} ${labelOfValue(option, value)}`];
    })
    .join(", ");
}
