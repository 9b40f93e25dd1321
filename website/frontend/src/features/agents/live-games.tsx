import { useLingui } from "@lingui/react";
import { Link } from "react-router";

import type { LiveGame } from "@/api/agents";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";

interface Props {
  games: readonly LiveGame[];
}

/** Links to the games that an agent plays now. */
export function LiveGames({ games }: Props) {
  const { i18n } = useLingui();
  return (
    <ul className="flex flex-wrap gap-2">
      {games.map((game) => (
        <li key={game.watch_token}>
          <Link to={paths.watch(game.watch_token)} className={buttonClass("action")}>
            {i18n._("Watch {game_name} live", { game_name: game.game_name })}
          </Link>
        </li>
      ))}
    </ul>
  );
}
