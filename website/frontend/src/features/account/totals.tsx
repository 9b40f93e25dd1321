import type { PlaySummary } from "@/api/client";
import { formatDuration } from "@/lib/format";

/** Totals of the player. */
export function Totals({ summary }: { summary: PlaySummary }) {
  const nGames = new Set(summary.games.map((game) => game.game_id)).size;
  const figures: [string, string][] = [
    ["played", formatDuration(summary.seconds)],
    [nGames === 1 ? "game" : "games", nGames.toLocaleString("en")],
    [summary.episodes === 1 ? "round" : "rounds", summary.episodes.toLocaleString("en")],
    ["certified", summary.certified.toLocaleString("en")],
    ["steps recorded", summary.steps.toLocaleString("en")],
  ];
  return (
    <dl className="my-8 flex flex-wrap gap-x-10 gap-y-4">
      {figures.map(([name, value]) => (
        <div key={name} className="flex flex-col-reverse">
          <dt className="text-dim">{name}</dt>
          <dd className="dots text-4xl">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
