import { Link } from "react-router";

import type { MyGame } from "@/api/client";
import { paths } from "@/config/paths";
import { formatCount, formatLength, formatScore, formatWhen } from "@/lib/format";

/** Each game that was played: how long, how often, and the best score. */
export function Games({ games, now }: { games: readonly MyGame[]; now: number }) {
  return (
    <section aria-labelledby="by-game">
      <h2 id="by-game" className="text-4xl sign">
        By game
      </h2>
      <ul className="mt-4 grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {games.map((game) => (
          <li key={game.game_id} className="rounded-2xl bg-surface p-4">
            <Link
              to={paths.play(game.game_id)}
              className="rounded text-lg font-bold hover:underline"
            >
              {game.game_name}
            </Link>
            <p className="mt-1">
              <span className="dots text-3xl">
                {game.best === null ? "–" : formatScore(game.best)}
              </span>{" "}
              <span className="text-dim">
                {game.best === null ? "no certified score yet" : "best"}
              </span>
            </p>
            <p className="mt-1 text-sm text-dim">
              {formatCount(game.episodes, "round")}
              {game.won > 0 && `, ${formatScore(game.won)} won`}, {formatLength(game.seconds)},{" "}
              <time dateTime={game.last_played}>{formatWhen(game.last_played, now)}</time>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
