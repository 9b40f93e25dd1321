import { useLingui } from "@lingui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import { type BoardPage, type BoardRow, reportName } from "@/api/boards";
import { useSession } from "@/api/session";
import { paths } from "@/config/paths";
import { formatCount, formatScore, formatTimeAgo } from "@/lib/format";

interface Props {
  board: BoardPage;
  /** Time at which the board was loaded. */
  now: number;
  /** False while the replays of a daily challenge would spoil it. */
  mayWatch: boolean;
}

/** The rows of a board as a table; the player's own row is repeated below if it is further down. */
export function Standings({ board, now, mayWatch }: Props) {
  const { i18n } = useLingui();
  const { rows, own, n_players: count } = board;
  const isBelow = own !== null && !rows.some(({ is_own }) => is_own);
  return (
    <>
      <div className="mt-6 overflow-x-auto">
        <table className="w-full max-w-3xl border-collapse text-left">
          <caption className="pb-3 text-left text-dim">
            {formatCount(count, "player")}
            {board.is_frozen && i18n._(", final. Missing ranks were removed or erased.")}
          </caption>
          <thead className="text-sm text-dim">
            <tr className="border-b border-line/60">
              <th scope="col" className="py-2 pr-3 font-semibold">
                {i18n._("Rank")}
              </th>
              <th scope="col" className="py-2 pr-3 font-semibold">
                {i18n._("Name")}
              </th>
              <th scope="col" className="py-2 pr-3 text-right font-semibold">
                {i18n._("Score")}
              </th>
              <th scope="col" className="py-2 pr-3 pl-5 font-semibold max-sm:hidden">
                {i18n._("Played")}
              </th>
              <th scope="col" className="py-2 text-right font-semibold">
                {i18n._("Replay")}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <StandingRow key={row.episode_id} {...{ row, now, mayWatch }} />
            ))}
            {isBelow && (
              <>
                <tr aria-hidden="true">
                  <td className="py-1 text-dim">⋮</td>
                </tr>
                <StandingRow row={own} {...{ now, mayWatch }} />
              </>
            )}
          </tbody>
        </table>
      </div>
      {!mayWatch && rows.length > 0 && (
        <p className="mt-3 text-sm text-dim">
          {i18n._("Replays open after your own try, or when the day is over.")}
        </p>
      )}
    </>
  );
}

interface RowProps {
  row: BoardRow;
  now: number;
  mayWatch: boolean;
}

function StandingRow({ row, now, mayWatch }: RowProps) {
  const { i18n } = useLingui();
  return (
    <tr
      data-testid={row.is_own ? "own-row" : undefined}
      className={`border-b border-line/60 ${row.is_own ? "bg-raised font-bold" : ""}`}
    >
      <td className="py-2.5 pr-3 pl-2 dots text-2xl">{row.rank}</td>
      <td className="max-w-40 py-2.5 pr-3 break-words sm:max-w-72">
        {row.name}
        {row.is_own && <span className="ml-2 text-sm text-link">{i18n._("you")}</span>}
        {!row.is_own && <ReportButton row={row} />}
      </td>
      <td className="py-2.5 pr-3 text-right font-bold tabular-nums">{formatScore(row.score)}</td>
      <td className="py-2.5 pr-3 pl-5 whitespace-nowrap text-dim max-sm:hidden">
        <time dateTime={row.time_reached}>{formatTimeAgo(row.time_reached, now)}</time>
      </td>
      <td className="py-2.5 pr-2 text-right">
        {mayWatch || row.is_own ? (
          <Link to={paths.replay(row.episode_id)} className="font-semibold text-link underline">
            {i18n._("Watch")}
            <span className="sr-only"> {i18n._("the replay of {name}", { name: row.name })}</span>
          </Link>
        ) : (
          <span className="text-dim">
            <span aria-hidden="true">–</span>
            <span className="sr-only">{i18n._("Not yet")}</span>
          </span>
        )}
      </td>
    </tr>
  );
}

/** Reports a name. Names that the arcade has given need no report. */
function ReportButton({ row }: { row: BoardRow }) {
  const { i18n } = useLingui();
  const session = useSession();
  const [asked, setAsked] = useState(false);
  const report = useMutation({ mutationFn: () => reportName(row.episode_id) });
  if (session === null || /^Player [0-9A-F]{4,}$/.test(row.name)) return null;
  if (report.isSuccess) return <span className="ml-2 text-sm text-dim">{i18n._("Reported")}</span>;
  return (
    <>
      <button
        type="button"
        className="ml-2 min-h-6 rounded px-1 text-sm font-normal text-dim underline"
        onClick={() => (asked ? report.mutate() : setAsked(true))}
        onBlur={() => setAsked(false)}
      >
        {asked ? i18n._("Report this name?") : i18n._("Report")}
        <span className="sr-only"> {row.name}</span>
      </button>
      {report.isError && (
        <span role="alert" className="block text-sm text-dim">
          {report.error.message}
        </span>
      )}
    </>
  );
}
