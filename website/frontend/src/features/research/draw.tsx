import { formatCount } from "@/lib/format";
import { i18n } from "@/lib/i18n";
import type { ReactNode } from "react";

import type { ChartRow } from "./figure";
import { Bars, Columns, type CurvePoint, Curves, Dots, Intervals, Legend } from "./plots";
import { describeLines, fitLines, LineList, type ReferenceLine } from "./reference-lines";
import { extent, formatNumber } from "./scale";

const text = (row: ChartRow, name: string) => String(row[name] ?? "");
const number = (row: ChartRow, name: string) => Number(row[name] ?? 0);
const percent = (share: number) =>
  i18n.number(share, { style: "percent", maximumFractionDigits: 1 });

function groupBy(rows: readonly ChartRow[], column: string): Map<string, ChartRow[]> {
  const groups = new Map<string, ChartRow[]>();
  for (const row of rows) {
    const name = text(row, column);
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  return groups;
}

type Draw = (rows: readonly ChartRow[], width: number, label: string) => ReactNode;

export const drawDays: Draw = (rows, width, label) => {
  const games = [...new Set(rows.map((row) => text(row, "game")))];
  const columns = [...groupBy(rows, "day")].map(([name, parts]) => ({
    name,
    parts: games.map((game) => number(parts.find((row) => row.game === game) ?? {}, "episodes")),
  }));
  const isWeekly = rows[0]?.unit === "week";
  return (
    <>
      <Legend names={games} isFilled />
      <Columns
        label={label}
        width={width}
        columns={columns}
        yLabel={isWeekly ? i18n._("Episodes per week") : i18n._("Episodes per day")}
      />
    </>
  );
};

export const drawGames: Draw = (rows, width, label) => (
  <Bars
    label={label}
    width={width}
    bars={rows.slice(0, 12).map((row) => ({
      name: text(row, "game_name"),
      value: number(row, "episodes"),
      note: formatNumber(number(row, "episodes")),
    }))}
  />
);

/** Bars of the shares in a column. */
export const drawShares =
  (name: string): Draw =>
  (rows, width, label) => (
    <Bars
      label={label}
      width={width}
      bars={rows.map((row) => ({
        name: text(row, name),
        value: number(row, "share"),
        note: percent(number(row, "share")),
      }))}
    />
  );

interface CurveLabels {
  x: string;
  y: string;
  hasCounts?: boolean;
  lines?: readonly ReferenceLine[];
  /** The axis of the lines' values. */
  linesAt?: "x" | "y";
}

/** Curves by group, with a legend. `describe` returns the points of a row. */
const drawByGroup =
  (
    { x, y, hasCounts = false, lines = [], linesAt = "y" }: CurveLabels,
    describe: (row: ChartRow) => CurvePoint[],
  ): Draw =>
  (rows, width, label) => {
    const groups = [...groupBy(rows, "group")];
    const points = rows.flatMap(describe);
    const values = points.flatMap((point) =>
      linesAt === "x" ? [point.x] : [point.low ?? point.y, point.high ?? point.y],
    );
    const shown = fitLines(lines, extent(values));
    return (
      <>
        <Legend names={groups.map(([name]) => name)} />
        <Curves
          label={label + describeLines(lines)}
          lines={shown}
          linesAt={linesAt}
          width={width}
          xLabel={x}
          yLabel={y}
          hasCounts={hasCounts}
          curves={groups.map(([name, own]) => ({ name, points: own.flatMap(describe) }))}
        />
        <LineList lines={lines} shown={shown} />
      </>
    );
  };

/** Medians with quartiles and the number of players, by group. */
export const drawCurve = (xLabel: string, yLabel: string, lines: readonly ReferenceLine[]): Draw =>
  drawByGroup(
    {
      x: xLabel,
      y: i18n._("{label}: median, quartiles", { label: yLabel }),
      hasCounts: true,
      lines,
    },
    (bin) => [
      {
        x: (number(bin, "x_from") + number(bin, "x_to")) / 2,
        y: number(bin, "median"),
        low: number(bin, "p25"),
        high: number(bin, "p75"),
        n: number(bin, "players"),
      },
    ],
  );

/** Shares of episodes by bins of a measure, by group. The last bin is open. */
export const drawHistogram = (xLabel: string): Draw =>
  drawByGroup({ x: xLabel, y: i18n._("Share of episodes") }, (bin) => {
    const from = number(bin, "x_from");
    const to = bin.x_to === null ? from : number(bin, "x_to");
    const y = number(bin, "share");
    const n = number(bin, "players");
    return [
      { x: from, y, low: 0, high: y, n },
      { x: to, y, low: 0, high: y, n },
    ];
  });

export const drawProfile = (xLabel: string, lines: readonly ReferenceLine[]): Draw =>
  drawByGroup({ x: xLabel, y: i18n._("Share of players above"), lines, linesAt: "x" }, (point) => [
    { x: number(point, "threshold"), y: number(point, "share"), n: number(point, "players") },
  ]);

/** Interquartile means with intervals, by group. `comparison` is the id of the text that compares them. */
export const drawGroups =
  (xLabel: string, comparison: string, lines: readonly ReferenceLine[] = []): Draw =>
  (rows, width, label) => {
    const shown = fitLines(
      lines,
      extent([0, ...rows.flatMap((row) => [number(row, "low"), number(row, "high")])]),
    );
    return (
      <>
        <Intervals
          label={label + describeLines(lines)}
          lines={shown}
          width={width}
          xLabel={xLabel}
          rows={rows.map((row) => ({
            name: text(row, "group"),
            low: number(row, "low"),
            middle: number(row, "iqm"),
            high: number(row, "high"),
            note:
              row.p_faster === null
                ? formatCount(number(row, "players"), "player")
                : i18n._(comparison, {
                    players: formatCount(number(row, "players"), "player"),
                    share: percent(number(row, "p_faster")),
                  }),
          }))}
        />
        <LineList lines={lines} shown={shown} />
      </>
    );
  };

/** Medians with quartiles, by row. */
export const drawChanges =
  (name: string, xLabel: string): Draw =>
  (rows, width, label) => (
    <Intervals
      label={label}
      width={width}
      xLabel={xLabel}
      rows={rows.map((row) => ({
        name: text(row, name),
        low: number(row, "p25"),
        middle: number(row, "median"),
        high: number(row, "p75"),
        note: formatCount(number(row, "players"), "player"),
      }))}
    />
  );

export const drawPoints =
  (xLabel: string, yLabel: string, lines: readonly ReferenceLine[]): Draw =>
  (rows, width, label) => {
    const players = [...groupBy(rows, "player")];
    const shown = fitLines(lines, extent(rows.map((row) => number(row, "value"))));
    return (
      <>
        <Dots
          label={label + describeLines(lines)}
          lines={shown}
          width={width}
          xLabel={xLabel}
          yLabel={yLabel}
          series={players.map(([name, episodes]) => ({
            name,
            dots: episodes.map((row) => ({
              x: number(row, "x"),
              y: number(row, "value"),
              episodeId: text(row, "episode_id"),
            })),
          }))}
        />
        <LineList lines={lines} shown={shown} />
      </>
    );
  };

export const drawActions: Draw = (rows, width, label) => (
  <Bars
    label={label}
    width={width}
    bars={rows.map((row) => ({
      name:
        row.group === "all"
          ? i18n._("action {action}", { action: text(row, "action") })
          : i18n._("action {action}, {group}", {
              action: text(row, "action"),
              group: text(row, "group"),
            }),
      value: number(row, "share"),
      note: percent(number(row, "share")),
    }))}
  />
);
