import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Game } from "@/api/client";
import { episodesQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";
import { formatScore } from "@/lib/format";

import { bestEpisode } from "../episode-results";
import type { Options } from "../options";

interface Props {
  game: Game;
  options: Options;
  session: Session;
}

/** Link that starts this game with the player's best round as a ghost. */
export function RaceBest({ game, options, session }: Props) {
  const { i18n } = useLingui();
  const { data } = useQuery(episodesQuery(session.userId));
  const best = bestEpisode(game, data ?? [], options);
  if (best === null) return null;
  return (
    <p className="mt-4">
      <Link className={buttonClass("plain")} to={paths.race(game.id, best.id, null)}>
        {i18n._("Race your best")}{" "}
        {game.show.score && <span className="dots">{formatScore(Number(best.score))}</span>}
      </Link>
    </p>
  );
}
