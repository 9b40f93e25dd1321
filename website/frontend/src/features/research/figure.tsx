import { formatCount } from "@/lib/format";
import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useId, useRef, useState, type ReactNode } from "react";
import { Link } from "react-router";

import {
  chartQuery,
  fetchChartCsv,
  type Cell,
  type ChartAnswer,
  type ChartName,
} from "@/api/research";
import { Button } from "@/components/button";
import { paths } from "@/config/paths";

import { formatNumber } from "./scale";
import { writeSvg } from "./write-svg";

export type ChartRow = Readonly<Record<string, Cell>>;

interface Props {
  userId: string;
  chart: ChartName;
  query: string;
  /** Heading; by default the title of the answer. */
  title?: string;
  /** Draws the rows; without it the figure is a table. */
  draw?: (rows: readonly ChartRow[], width: number, label: string) => ReactNode;
}

const MAX_TABLE_ROWS = 300;
const MAX_SHORT_CHARACTERS = 40;
const SHORT_CELL = "whitespace-nowrap";
const LONG_CELL = "min-w-72 text-left";

const isLong = (cell: Cell): boolean =>
  typeof cell === "string" && cell.length > MAX_SHORT_CHARACTERS;

/** A chart with its notes, the table behind it, and what gives the same rows elsewhere. */
export function Figure({ userId, chart, query, title, draw }: Props) {
  const { i18n } = useLingui();
  const answer = useQuery({
    ...chartQuery(userId, chart, query),
    placeholderData: (before) => before,
  });
  const heading = useId();
  const name = title ?? answer.data?.title;
  // Each figure has a name of its own, also while its title is not known yet.
  const label =
    name === undefined
      ? { "aria-label": i18n._("{chart}, loading", { chart }) }
      : { "aria-labelledby": heading };
  return (
    <section
      {...label}
      aria-busy={answer.isFetching}
      data-chart={chart}
      className="min-w-0 rounded-2xl border border-line/60 bg-surface p-4 sm:p-6"
    >
      <h2 id={heading} className="text-2xl font-bold">
        {name ?? "…"}
      </h2>
      {answer.isPending && (
        <p role="status" className="py-16 text-center text-dim">
          {i18n._("Loading…")}
        </p>
      )}
      {answer.isError && (
        <div role="alert" className="grid justify-items-start gap-4 py-8">
          <p>{answer.error.message}</p>
          <Button look="plain" onClick={() => void answer.refetch()}>
            {i18n._("Try again")}
          </Button>
        </div>
      )}
      {answer.data !== undefined && !answer.isError && (
        <Content answer={answer.data} chart={chart} query={query} name={name ?? ""} draw={draw} />
      )}
    </section>
  );
}

interface ContentProps {
  answer: ChartAnswer;
  chart: ChartName;
  query: string;
  name: string;
  draw: Props["draw"];
}

function Content({ answer, chart, query, name, draw }: ContentProps) {
  const { i18n } = useLingui();
  const plot = useRef<HTMLDivElement>(null);
  const [width, observe] = useWidth();
  const rows = answer.rows.map((cells) =>
    Object.fromEntries(answer.columns.map((column, index) => [column.name, cells[index] ?? null])),
  );
  return (
    <>
      <p className="mt-1 text-sm text-dim">
        {i18n._("{episodes} of {players}", {
          episodes: formatCount(answer.episodes, "episode"),
          players: formatCount(answer.players, "player"),
        })}
        {answer.left_out !== null &&
          i18n._(", {count, plural, one {# flagged episode} other {# flagged episodes}} left out", {
            count: answer.left_out,
          })}
      </p>
      {rows.length === 0 ? (
        <p className="py-16 text-center text-dim">
          {answer.episodes === 0
            ? i18n._("No episode matches these filters.")
            : i18n._("These episodes have no values for this chart.")}
        </p>
      ) : (
        <>
          {draw !== undefined && (
            <div ref={observe} className="mt-4">
              <div ref={plot}>
                {width > 0 &&
                  draw(rows, width, i18n._("{name}. The table below has its numbers.", { name }))}
              </div>
            </div>
          )}
          {draw === undefined ? (
            <Table answer={answer} name={name} />
          ) : (
            <Details summary={i18n._("Table")}>
              <Table answer={answer} name={name} />
            </Details>
          )}
        </>
      )}
      {answer.notes.length > 0 && (
        <ul className="mt-4 grid max-w-prose list-disc gap-1 pl-5 text-sm text-pretty text-dim">
          {answer.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <div className="mt-4 flex flex-wrap gap-2">
        {draw !== undefined && rows.length > 0 && (
          <Button
            look="plain"
            aria-label={i18n._("SVG of {name}", { name })}
            onClick={() => {
              const svg = plot.current?.querySelector("svg:not([aria-hidden])");
              if (svg instanceof SVGSVGElement)
                saveFile(`${chart}.svg`, "image/svg+xml", writeSvg(svg));
            }}
          >
            {i18n._("SVG")}
          </Button>
        )}
        <CsvButton chart={chart} query={query} name={name} />
      </div>
      <Code summary={i18n._("SQL")} text={answer.sql} name={name} />
      <Code summary={i18n._("Python")} text={answer.python} name={name} />
    </>
  );
}

function CsvButton({ chart, query, name }: { chart: ChartName; query: string; name: string }) {
  const { i18n } = useLingui();
  const [error, setError] = useState("");
  const save = async () => {
    try {
      setError("");
      saveFile(`${chart}.csv`, "text/csv", await fetchChartCsv(chart, query));
    } catch (reason) {
      setError(reason instanceof Error ? reason.message : String(reason));
    }
  };
  return (
    <>
      <Button
        look="plain"
        aria-label={i18n._("CSV of {name}", { name })}
        onClick={() => void save()}
      >
        {i18n._("CSV")}
      </Button>
      {error !== "" && (
        <p role="alert" className="self-center">
          {error}
        </p>
      )}
    </>
  );
}

function Details({ summary, children }: { summary: string; children: ReactNode }) {
  return (
    <details className="mt-3">
      <summary className="min-h-11 cursor-pointer py-2 font-semibold text-link">{summary}</summary>
      {children}
    </details>
  );
}

function Code({ summary, text, name }: { summary: string; text: string; name: string }) {
  const { i18n } = useLingui();
  const [isCopied, setCopied] = useState(false);
  return (
    <Details summary={i18n._("{summary} that gives these numbers", { summary })}>
      <Button
        look="plain"
        onClick={() =>
          void navigator.clipboard.writeText(text).then(
            () => setCopied(true),
            () => setCopied(false),
          )
        }
      >
        {isCopied ? i18n._("Copied") : i18n._("Copy")}
      </Button>
      <pre
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
        tabIndex={0}
        role="region"
        aria-label={i18n._("{summary} of {name}", { summary, name })}
        className="mt-3 max-h-96 overflow-auto rounded-xl bg-bg p-4 text-xs"
      >
        <code>{text}</code>
      </pre>
    </Details>
  );
}

function Table({ answer, name }: { answer: ChartAnswer; name: string }) {
  const { i18n } = useLingui();
  const rows = answer.rows.slice(0, MAX_TABLE_ROWS);
  return (
    <div
      role="region"
      aria-label={i18n._("Table of {name}", { name })}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
      tabIndex={0}
      className="mt-2 max-h-96 overflow-auto"
    >
      <table className="text-right text-sm">
        <thead className="text-dim">
          <tr className="border-b border-line/60">
            {answer.columns.map((column) => (
              <th key={column.name} scope="col" title={column.meaning} className="px-3 py-2">
                {column.name.replaceAll("_", " ")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={row} className="border-b border-line/60">
              {cells.map((cell, index) => (
                <td key={index} className={`px-3 py-1.5 ${isLong(cell) ? LONG_CELL : SHORT_CELL}`}>
                  {answer.columns[index]?.name === "episode_id" ? (
                    <Link className="text-link underline" to={replayPath(answer, cells, cell)}>
                      {i18n._("Replay")}
                    </Link>
                  ) : (
                    formatCell(cell)
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {answer.rows.length > rows.length && (
        <p className="py-2 text-sm text-dim">
          {i18n._("The first {shown} of {count} rows. The CSV has all.", {
            shown: i18n.number(MAX_TABLE_ROWS),
            count: i18n.number(answer.rows.length),
          })}
        </p>
      )}
    </div>
  );
}

/** Returns the address of the replay of a row, at its frame if the row has one. */
function replayPath(answer: ChartAnswer, cells: readonly Cell[], episode: Cell): string {
  const frame = cells[answer.columns.findIndex(({ name }) => name === "frame")];
  const id = String(episode);
  return typeof frame === "number" ? paths.replayFrame(id, frame) : paths.replay(id);
}

function formatCell(cell: Cell): string {
  if (cell === null) return "–";
  return typeof cell === "number" ? formatNumber(cell) : String(cell);
}

function saveFile(name: string, type: string, content: string | Uint8Array): void {
  const part = typeof content === "string" ? content : new Uint8Array(content);
  const address = URL.createObjectURL(new Blob([part], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Width of an element in CSS pixels, and the ref that observes it. */
function useWidth(): [number, (element: HTMLElement | null) => (() => void) | undefined] {
  const [width, setWidth] = useState(0);
  const observe = useCallback((element: HTMLElement | null) => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [width, observe];
}
