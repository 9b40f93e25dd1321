import type { I18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { type EpisodeStanding, standingQuery } from "@/api/boards";
import { paths } from "@/config/paths";
import { writeOptions } from "@/lib/write-options";

import { formatRank } from "./settings-text";

/** An episode is uploaded within seconds, and ranks once it is certified. */
const POLL_MS = 1500;
const MAX_POLLS = 80;

const REJECTIONS: Record<string, string> = {
  "no-consent":
    /*i18n*/ "This round does not rank: you have not allowed replays and leaderboards. You can change that at You.",
  "slow-motion":
    /*i18n*/ "This round does not rank: it ran in slow motion, perhaps because a computer was busy.",
  "too-fast": /*i18n*/ "This round does not rank: it ran too fast.",
  uncertified: /*i18n*/ "This round does not rank: a re-run did not give the same game.",
  "not-first-try": /*i18n*/ "This round does not rank: your first try of the day counts.",
  "not-the-daily": /*i18n*/ "This round does not rank: it began outside of the day.",
};

/** Place of an episode that has just ended, with a link to the board. */
export function EpisodeRank({ episodeId }: { episodeId: string }) {
  const standing = useQuery({
    ...standingQuery(episodeId),
    refetchInterval: ({ state: { data, dataUpdateCount } }) =>
      data?.state === "pending" && dataUpdateCount < MAX_POLLS ? POLL_MS : false,
  });
  const found = standing.data;
  return (
    <p role="status" data-testid="episode-rank" className="mt-3 min-h-6 text-pretty">
      {found !== undefined && <StandingText standing={found} />}
    </p>
  );
}

const linkClass = "font-bold text-link underline";

function StandingText({ standing }: { standing: EpisodeStanding }) {
  const { i18n } = useLingui();
  const { state, game_id: gameId, settings, day, reason } = standing;
  if (state === "not-listed") {
    return (
      <Link to={`${paths.account}#boards`} className={linkClass}>
        {i18n._("Put your scores on the leaderboards")}
      </Link>
    );
  }
  if (state === "pending")
    return <span className="text-dim">{i18n._("Checking your round…")}</span>;
  if (state === "rejected")
    return <span className="text-dim">{i18n._(REJECTIONS[reason ?? ""] ?? "")}</span>;
  if (state === "hidden") {
    return (
      <span className="text-dim">
        {i18n._("A maintainer has hidden this round: {reason}", { reason })}
      </span>
    );
  }
  if (gameId === null) return null;
  const address = day === null ? paths.board(gameId, writeOptions(settings)) : paths.daily;
  if (state === "obsolete") {
    return (
      <Link to={address} className={linkClass}>
        {i18n._("Your best score stays on the leaderboard")}
      </Link>
    );
  }
  return (
    <Link to={address} className={linkClass}>
      {describeRank(i18n, standing)}
    </Link>
  );
}

/** "You are 3rd today", or the shortest season in which the episode ranks. */
function describeRank(i18n: I18n, { today, week, all, day }: EpisodeStanding): string {
  if (day !== null && all !== null)
    return i18n._("You are {rank} in today’s challenge", { rank: formatRank(all) });
  if (today !== null) return i18n._("You are {rank} today", { rank: formatRank(today) });
  if (week !== null) return i18n._("You are {rank} this week", { rank: formatRank(week) });
  return all === null ? "" : i18n._("You are {rank} of all time", { rank: formatRank(all) });
}
