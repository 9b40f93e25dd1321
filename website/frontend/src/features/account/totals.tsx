import { useLingui } from "@lingui/react";
import type { PlaySummary } from "@/api/client";
import { formatDuration } from "@/lib/format";

/** Totals of the player. */
export function Totals({ summary }: { summary: PlaySummary }) {
  const { i18n } = useLingui();
  const nGames = new Set(summary.games.map((game) => game.game_id)).size;
  const figures: [string, string][] = [
    [i18n._("played"), formatDuration(summary.seconds)],
    [i18n._("{count, plural, one {game} other {games}}", { count: nGames }), i18n.number(nGames)],
    [
      i18n._("{count, plural, one {round} other {rounds}}", { count: summary.episodes }),
      i18n.number(summary.episodes),
    ],
    [i18n._("certified"), i18n.number(summary.certified)],
    [i18n._("steps recorded"), i18n.number(summary.steps)],
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
