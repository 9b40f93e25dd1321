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
    "This round does not rank: you have not allowed replays and leaderboards. You can change that at You.",
  "slow-motion":
    "This round does not rank: it ran in slow motion, perhaps because a computer was busy.",
  "too-fast": "This round does not rank: it ran too fast.",
  uncertified: "This round does not rank: a re-run did not give the same game.",
  "not-first-try": "This round does not rank: your first try of the day counts.",
  "not-the-daily": "This round does not rank: it began outside of the day.",
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
  const { state, game_id: gameId, settings, day, reason } = standing;
  if (state === "not-listed") {
    return (
      <Link to={`${paths.account}#boards`} className={linkClass}>
        Put your scores on the leaderboards
      </Link>
    );
  }
  if (state === "pending") return <span className="text-dim">Checking your round…</span>;
  if (state === "rejected")
    return <span className="text-dim">{REJECTIONS[reason ?? ""] ?? ""}</span>;
  if (state === "hidden") {
    return <span className="text-dim">A maintainer has hidden this round: {reason}</span>;
  }
  if (gameId === null) return null;
  const address = day === null ? paths.board(gameId, writeOptions(settings)) : paths.daily;
  if (state === "obsolete") {
    return (
      <Link to={address} className={linkClass}>
        Your best score stays on the leaderboard
      </Link>
    );
  }
  return (
    <Link to={address} className={linkClass}>
      {describeRank(standing)}
    </Link>
  );
}

/** "You are 3rd today", or the shortest season in which the episode ranks. */
function describeRank({ today, week, all, day }: EpisodeStanding): string {
  if (day !== null && all !== null) return `You are ${formatRank(all)} in today’s challenge`;
  if (today !== null) return `You are ${formatRank(today)} today`;
  if (week !== null) return `You are ${formatRank(week)} this week`;
  return all === null ? "" : `You are ${formatRank(all)} of all time`;
}
