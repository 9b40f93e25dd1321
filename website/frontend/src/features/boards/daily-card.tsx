import { Trans, useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { dailyQuery } from "@/api/boards";
import { useSession } from "@/api/session";
import { buttonClass } from "@/components/button";
import { paths } from "@/config/paths";

import { Countdown } from "./countdown";
import { formatRank } from "./settings-text";

/** Today's challenge on the home page. It shows nothing if the server does not answer. */
export function DailyCard() {
  const { i18n } = useLingui();
  const session = useSession();
  const daily = useQuery(dailyQuery(session?.userId ?? null));
  const challenge = daily.data;
  if (challenge === undefined) return null;
  return (
    <section
      aria-labelledby="daily"
      className="flex flex-wrap items-center gap-x-8 gap-y-4 rounded-2xl bg-surface p-5 sm:p-6"
    >
      <div className="min-w-0 flex-1 basis-64">
        <h2 id="daily" className="text-3xl sign">
          {i18n._("Daily challenge: {game_name}", { game_name: challenge.game_name })}
        </h2>
        <p className="mt-1 text-pretty text-dim">
          {challenge.own === null
            ? i18n._("The same game for everyone, and one try.")
            : i18n._("You are {rank} of {count}.", {
                rank: formatRank(challenge.own.rank),
                count: i18n.number(challenge.n_players),
              })}{" "}
          <Trans
            id="Ends in <0/>."
            components={[
              <Countdown
                key="time"
                until={challenge.time_ends}
                onEnd={() => void daily.refetch()}
              />,
            ]}
          />
        </p>
      </div>
      <p className="flex flex-wrap gap-3">
        {challenge.has_tried !== true && (
          <Link
            to={paths.playDaily(challenge.game_id, challenge.day)}
            className={buttonClass("action")}
          >
            {i18n._("Play today’s challenge")}
          </Link>
        )}
        <Link to={paths.daily} className={buttonClass("plain")}>
          {i18n._("Daily board")}
        </Link>
      </p>
    </section>
  );
}
