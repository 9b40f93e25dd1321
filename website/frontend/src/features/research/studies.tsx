import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useSearchParams } from "react-router";

import { studiesQuery, type StudyStatus, studyStatusQuery } from "@/api/research";
import { Button, buttonClass } from "@/components/button";

import { withFilter } from "./filters";
import { formatNumber } from "./scale";
import { type CountTable, countStages, countStatuses } from "./study-counts";

/** The studies of this arcade, and where the participants of one are. */
export function Studies({ userId }: { userId: string }) {
  const [address] = useSearchParams();
  const studies = useQuery(studiesQuery(userId));
  if (studies.isPending) return <Loading />;
  if (studies.isError)
    return <Failure message={studies.error.message} retry={() => void studies.refetch()} />;
  const wanted = address.get("study");
  const chosen = studies.data.find(({ name }) => name === wanted) ?? studies.data[0];
  if (chosen === undefined)
    return (
      <p className="mt-6 max-w-prose text-lg">
        No study yet. Open one with <code>skill-arcade studies open NAME</code>.
      </p>
    );
  return (
    <>
      <nav aria-label="Studies" className="mt-6 flex flex-wrap gap-2">
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
  const status = useQuery(studyStatusQuery(userId, name));
  if (status.isPending) return <Loading />;
  if (status.data === undefined)
    return <Failure message={status.error.message} retry={() => void status.refetch()} />;
  const { study, quota, places, counts, quality } = status.data;
  const read = new Date(status.dataUpdatedAt).toLocaleTimeString();
  return (
    <>
      <p className="mt-6 text-lg">
        {study.status === "open" ? "Open" : "Closed"}, version {study.version}:{" "}
        <strong>
          {places} of {quota} places
        </strong>{" "}
        are complete or active.
      </p>
      <p className="text-sm text-dim">
        Read at {read}, again every 5 seconds. Programs are not counted.
        {status.isError && ` The last reading failed: ${status.error.message}`}
      </p>
      {counts.length === 0 ? (
        <p className="mt-6 text-lg">Nobody has taken part yet.</p>
      ) : (
        <div className="mt-6 grid items-start gap-6 xl:grid-cols-2">
          <Counts title="Participants by arm" corner="arm" table={countStatuses(counts)} />
          <Counts
            title="Where active participants are"
            corner="stage"
            table={countStages(counts, true)}
          />
          <Counts
            title="Where participants dropped out or were turned away"
            corner="stage"
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
  return (
    <Section title={title}>
      {rows.length === 0 ? (
        <p className="mt-4 text-dim">None.</p>
      ) : (
        <Table name={title} columns={[corner, ...columns]} rows={rows} />
      )}
    </Section>
  );
}

const QUALITY_TITLE = "Quality of the games, without practice";
const QUALITY_COLUMNS = [
  "arm",
  "participants",
  "frames dropped",
  "latency p95, ms",
  "focus lost",
  "longest idle, s",
];

function Quality({ rows }: { rows: StudyStatus["quality"] }) {
  const cells = rows.map((row) => {
    const dropped = row.frames_dropped_share === null ? null : percent(row.frames_dropped_share);
    const others = [row.latency_p95_ms, row.focus_lost, row.idle_seconds];
    return [row.arm, [row.participants, dropped, ...others]] as const;
  });
  return (
    <Section title={QUALITY_TITLE}>
      {rows.length === 0 ? (
        <p className="mt-4 text-dim">No game is stored yet.</p>
      ) : (
        <Table name={QUALITY_TITLE} columns={QUALITY_COLUMNS} rows={cells} />
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
  return (
    <div
      role="region"
      aria-label={`Table: ${name}`}
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
                {heading}
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
  return (
    <p role="status" className="py-16 text-center text-dim">
      Loading…
    </p>
  );
}

function Failure({ message, retry }: { message: string; retry: () => void }) {
  return (
    <div role="alert" className="mt-6 grid justify-items-start gap-4">
      <p>{message}</p>
      <Button onClick={retry}>Try again</Button>
    </div>
  );
}
