import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Episode } from "@/api/client";
import { bestScores, episodesQuery, gamesQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { Button, buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { paths } from "@/config/paths";
import { formatCount, formatScore, formatWhen } from "@/lib/format";

const outcome: Record<Episode["status"], string> = {
  won: "Won",
  lost: "Lost",
  incomplete: "Left",
};

/** How well a round is kept: played again from its record, it came out the same, or it did not. */
function standing({ certificate, time_ended: ended }: Episode): string {
  if (certificate === "certified") return "certified";
  if (certificate !== null) return "not certified";
  return ended === null ? "running" : "kept";
}

/** What this person has played. */
export function Played({ session }: { session: Session }) {
  const episodes = useQuery(episodesQuery(session.userId));
  const games = useQuery(gamesQuery);
  const names = new Map(games.data?.map((game) => [game.id, game.name]));
  return (
    <div className="max-w-5xl pt-10">
      <h1 className="text-6xl sign sm:text-7xl">Your games</h1>
      <p className="mt-3 text-lg text-dim">
        {session.email ?? (
          <>
            You play as a guest, on this device only.{" "}
            <Link to={paths.keep} className="font-semibold text-link underline">
              Keep your scores
            </Link>
          </>
        )}
      </p>
      {episodes.isPending && (
        <p role="status" className="py-20 text-center text-lg text-dim">
          Looking them up…
        </p>
      )}
      {episodes.isError && (
        <Message
          alarming
          title="They could not be read"
          action={<Button onClick={() => void episodes.refetch()}>Try again</Button>}
        >
          {episodes.error.message}
        </Message>
      )}
      {episodes.data?.length === 0 && (
        <Message
          title="Not one yet"
          action={
            <Link to={paths.games} className={buttonClass("action")}>
              Choose a game
            </Link>
          }
        >
          What you play is listed here, with its score.
        </Message>
      )}
      {episodes.data !== undefined && episodes.data.length > 0 && (
        <>
          <Totals episodes={episodes.data} />
          <List episodes={episodes.data} names={names} now={episodes.dataUpdatedAt} />
        </>
      )}
    </div>
  );
}

function Totals({ episodes }: { episodes: readonly Episode[] }) {
  const steps = episodes.reduce((sum, episode) => sum + episode.n_steps, 0);
  const figures: [string, number][] = [
    ["games", new Set(episodes.map((episode) => episode.game_id)).size],
    ["rounds", episodes.length],
    ["won", episodes.filter((episode) => episode.status === "won").length],
    ["steps on record", steps],
  ];
  return (
    <dl className="my-8 flex flex-wrap gap-x-10 gap-y-4">
      {figures.map(([name, value]) => (
        <div key={name} className="flex flex-col-reverse">
          <dt className="text-dim">{name}</dt>
          <dd className="dots text-4xl">{value.toLocaleString("en")}</dd>
        </div>
      ))}
    </dl>
  );
}

function List({
  episodes,
  names,
  now,
}: {
  episodes: readonly Episode[];
  names: ReadonlyMap<string, string>;
  now: number;
}) {
  const best = bestScores(episodes);
  // Oldest first: who equals a best score has not beaten it.
  const records = new Map(
    episodes
      .filter((episode) => best.get(episode.game_id) === episode.score)
      .map((episode) => [episode.game_id, episode.id]),
  );
  return (
    <ul className="divide-y divide-line/60 border-y border-line/60">
      {episodes.map((episode) => (
        <li key={episode.id} className="flex flex-wrap items-baseline gap-x-4 gap-y-1 py-3.5">
          <Link
            to={paths.play(episode.game_id)}
            className="min-w-44 flex-1 rounded text-lg font-bold hover:underline"
          >
            {names.get(episode.game_id) ?? episode.game_id}
          </Link>
          <span className="w-40 text-right text-lg font-bold">
            {records.get(episode.game_id) === episode.id && (
              <span className="mr-2 text-sm text-link">best</span>
            )}
            {formatScore(episode.score)}
          </span>
          <span className="w-16 text-dim">{outcome[episode.status]}</span>
          <span className="w-28 text-dim">{standing(episode)}</span>
          <span className="w-32 text-right text-dim">{formatCount(episode.n_steps, "step")}</span>
          <time dateTime={episode.time_created} className="w-32 text-right text-dim">
            {formatWhen(episode.time_created, now)}
          </time>
        </li>
      ))}
    </ul>
  );
}
