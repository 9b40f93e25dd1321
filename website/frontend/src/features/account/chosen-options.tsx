import type { Game } from "@/api/client";
import { describeOptions } from "@/lib/describe-options";

interface Props {
  game: Game | undefined;
  options: Readonly<Record<string, string>>;
}

/** Names the options that a game was played with. A game without sizes has none if none was chosen. */
export function ChosenOptions({ game, options }: Props) {
  const text = game === undefined ? "" : describeOptions(game.options, options);
  return text !== "" && <span className="text-base font-normal text-dim"> {text}</span>;
}
