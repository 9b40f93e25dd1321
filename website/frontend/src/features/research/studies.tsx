import { Trans, useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useSearchParams } from "react-router";

import { studiesQuery, type StudyStatus, studyStatusQuery } from "@/api/research";
import { Button, buttonClass } from "@/components/button";

import { withFilter } from "./filters";
import { formatNumber } from "./scale";
import { type CountTable, countStages, countStatuses, NOT_DRAWN } from "./study-counts";

/** The studies of this arcade, and where the participants of one are. */
export function Studies({ userId }: { userId: string }) {
  const { i18n } = useLingui();
  const [address] = useSearchParams();
  const studies = useQuery(studiesQuery(userId));
  if (studies.isPending) return <Loading />;
  if (studies.isLoadingError)
    return <Failure message={studies.error.message} retry={() => void studies.refetch()} />;
  const wanted = address.get("study");
  const chosen = studies.data.find(({ name }) => name === wanted) ?? studies.data[0];
  if (chosen === undefined)
    return (
      <p className="mt-6 max-w-prose text-lg">
        <Trans
          id="No study yet. Open one with <0>skill-arcade studies open NAME</0>."
          components={[<code key="command" />]}
        />
      </p>
    );
  return (
    <>
      <nav aria-label={i18n._("Studies")} className="mt-6 flex flex-wrap gap-2">
        {studies.data.map(({ name, title }) => (
          <Link
            key={name}
            to={`?${withFilter(address, "study", name, "").toString()}`}
            preventScrollReset
            aria-current={name === chosen.name ? "page" : undefined}
            className={buttonClass(name === chosen.name ? "action" : "plain")}
          >
            {title}
          </Link>
        ))}
      </nav>
      <Status userId={userId} name={chosen.name} />
    </>
  );
}

function Status({ userId, name }: { userId: string; name: string }) {
  const { i18n } = useLingui();
  const status = useQuery(studyStatusQuery(userId, name));
  if (status.isPending) return <Loading />;
  if (status.data === undefined)
    return <Failure message={status.error.message} retry={() => void status.refetch()} />;
  const { study, quota, places, counts, quality } = status.data;
  const read = i18n.date(new Date(status.dataUpdatedAt), { timeStyle: "medium" });
  return (
    <>
      <p className="mt-6 text-lg">
        <Trans
          id={study.status === "open" ? OPEN_TEXT : CLOSED_TEXT}
          values={{
            version: study.version,
            places: i18n.number(places),
            quota: i18n.number(quota),
          }}
          components={[<strong key="places" />]}
        />
      </p>
      <p className="text-sm text-dim">
        {i18n._("Read at {time}, again every 5 seconds. Programs are not counted.", { time: read })}{" "}
        {status.isError &&
          i18n._("The last reading failed: {message}", { message: status.error.message })}
      </p>
      {counts.length === 0 ? (
        <p className="mt-6 text-lg">{i18n._("Nobody has taken part yet.")}</p>
      ) : (
        <div className="mt-6 grid items-start gap-6 xl:grid-cols-2">
          <Counts
            title={i18n._("Participants by arm")}
            corner={i18n._("arm")}
            table={countStatuses(counts)}
          />
          <Counts
            title={i18n._("Where active participants are")}
            corner={i18n._("stage")}
            table={countStages(counts, true)}
          />
          <Counts
            title={i18n._("Where participants dropped out or were turned away")}
            corner={i18n._("stage")}
            table={countStages(counts, false)}
          />
          <Quality rows={quality} />
        </div>
      )}
    </>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="min-w-0 rounded-2xl border border-line/60 bg-surface p-4 sm:p-6">
      <h2 className="text-2xl font-bold">{title}</h2>
      {children}
    </section>
  );
}

interface CountsProps {
  title: string;
  /** Heading of the first column. */
  corner: string;
  table: CountTable;
}

function Counts({ title, corner, table: { columns, rows } }: CountsProps) {
  const { i18n } = useLingui();
  return (
    <Section title={title}>
      {rows.length === 0 ? (
        <p className="mt-4 text-dim">{i18n._("None.")}</p>
      ) : (
        <Table
          name={title}
          columns={[corner, ...columns.map((column) => i18n._(STATUS_TEXTS[column] ?? column))]}
          rows={rows}
        />
      )}
    </Section>
  );
}

/** Headings of columns that are no arms. */
const STATUS_TEXTS: Readonly<Record<string, string>> = {
  active: /*i18n*/ "active",
  all: /*i18n*/ "all",
  complete: /*i18n*/ "complete",
  expired: /*i18n*/ "expired",
  "failed-checks": /*i18n*/ "failed checks",
  full: /*i18n*/ "full",
  "incompatible-device": /*i18n*/ "incompatible device",
  "no-consent": /*i18n*/ "no consent",
  "not drawn": /*i18n*/ "not drawn",
  "screened-out": /*i18n*/ "screened out",
};

const OPEN_TEXT =
  /*i18n*/ "Open, version {version}: <0>{places} of {quota} places</0> are complete or active.";
const CLOSED_TEXT =
  /*i18n*/ "Closed, version {version}: <0>{places} of {quota} places</0> are complete or active.";
const QUALITY_TITLE = /*i18n*/ "Quality of the games, without practice";
const QUALITY_COLUMNS = [
  /*i18n*/ "arm",
  /*i18n*/ "participants",
  /*i18n*/ "other mode",
  /*i18n*/ "frames dropped",
  /*i18n*/ "latency p95, ms",
  /*i18n*/ "focus lost",
  /*i18n*/ "longest idle, s",
];

function Quality({ rows }: { rows: StudyStatus["quality"] }) {
  const { i18n } = useLingui();
  const cells = rows.map((row) => {
    const dropped = row.frames_dropped_share === null ? null : percent(row.frames_dropped_share);
    const others = [row.latency_p95_ms, row.focus_lost, row.idle_seconds];
    return [row.arm, [row.participants, row.mode_differs, dropped, ...others]] as const;
  });
  return (
    <Section title={i18n._(QUALITY_TITLE)}>
      {rows.length === 0 ? (
        <p className="mt-4 text-dim">{i18n._("No game is stored yet.")}</p>
      ) : (
        <Table
          name={i18n._(QUALITY_TITLE)}
          columns={QUALITY_COLUMNS.map((column) => i18n._(column))}
          rows={cells}
        />
      )}
    </Section>
  );
}

const percent = (share: number) => `${formatNumber(100 * share)} %`;

interface TableProps {
  name: string;
  columns: readonly string[];
  rows: readonly (readonly [string, readonly (number | string | null)[]])[];
}

function Table({ name, columns, rows }: TableProps) {
  const { i18n } = useLingui();
  return (
    <div
      role="region"
      aria-label={i18n._("Table: {name}", { name })}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
      tabIndex={0}
      className="mt-4 overflow-x-auto"
    >
      <table className="text-right text-sm">
        <thead className="text-dim">
          <tr className="border-b border-line/60">
            {columns.map((column, index) => (
              <th
                key={column}
                scope="col"
                className={`px-3 py-2 ${index === 0 ? "text-left" : ""}`}
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([heading, cells]) => (
            <tr key={heading} className="border-b border-line/60">
              <th scope="row" className="px-3 py-1.5 text-left font-bold whitespace-nowrap">
                {heading === NOT_DRAWN ? i18n._(NOT_DRAWN) : heading}
              </th>
              {cells.map((cell, index) => (
                <td key={index} className="px-3 py-1.5 whitespace-nowrap">
                  {typeof cell === "number" ? formatNumber(cell) : (cell ?? "–")}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Loading() {
  const { i18n } = useLingui();
  return (
    <p role="status" className="py-16 text-center text-dim">
      {i18n._("Loading…")}
    </p>
  );
}

function Failure({ message, retry }: { message: string; retry: () => void }) {
  const { i18n } = useLingui();
  return (
    <div role="alert" className="mt-6 grid justify-items-start gap-4">
      <p>{message}</p>
      <Button onClick={retry}>{i18n._("Try again")}</Button>
    </div>
  );
}
