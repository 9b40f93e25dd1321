import { i18n } from "@/lib/i18n";
import type { DailyChallenge } from "@/api/boards";
import { formatScore } from "@/lib/format";

import { formatRank } from "./settings-text";

/** Result of a daily challenge as a text. It says nothing about how the game goes. */
export function makeShareText(
  { day, game_name: game, own, n_players: count }: DailyChallenge,
  address: string,
): string {
  const lines = [i18n._("Skill Arcade daily {day}: {game}", { day, game })];
  if (own !== null) {
    lines.push(
      i18n._("{score} points, {rank} of {count}", {
        score: formatScore(own.score),
        rank: formatRank(own.rank),
        count: i18n.number(count),
      }),
      drawPlace(own.rank, count),
    );
  } else lines.push(i18n._("I had my try."));
  return [...lines, address].join("\n");
}

/** Five squares; the filled one is the fifth of the players that the rank is in. */
function drawPlace(rank: number, count: number): string {
  const fifth = Math.min(Math.floor(((rank - 1) / Math.max(count, 1)) * 5), 4);
  return Array.from({ length: 5 }, (_, index) => (index === fifth ? "🟧" : "⬜")).join("");
}
