import { useLingui } from "@lingui/react";
import { Link } from "react-router";
import type { ReactNode } from "react";

import { paths } from "@/config/paths";

import { type ReferenceLine, spreadLabels } from "./reference-lines";
import { extent, formatNumber, makeScale, type Scale } from "./scale";

const STROKES = [
  "stroke-series-1",
  "stroke-series-2",
  "stroke-series-3",
  "stroke-series-4",
  "stroke-series-5",
  "stroke-dim",
];
const FILLS = [
  "fill-series-1",
  "fill-series-2",
  "fill-series-3",
  "fill-series-4",
  "fill-series-5",
  "fill-dim",
];
/** Lines also differ by their dashes, for people who do not see the colours. */
const DASHES = [undefined, "7 4", "2 3", "10 3 2 3", "5 2", "1 4"];
const HEIGHT = 300;
const LEFT = 56;
const RIGHT = 16;
const BOTTOM = 44;
const TOP = 12;

const pick = <T,>(values: readonly T[], index: number): T | undefined =>
  values[index % values.length];

interface FrameProps {
  label: string;
  width: number;
  height?: number;
  children: ReactNode;
  /** True if marks are links, which a picture may not contain. */
  hasLinks?: boolean;
}

export function Frame({ label, width, height = HEIGHT, children, hasLinks = false }: FrameProps) {
  return (
    <svg
      role={hasLinks ? "group" : "img"}
      aria-label={label}
      width={width}
      height={height}
      viewBox={`0 0 ${String(width)} ${String(height)}`}
      className="block max-w-full text-xs"
    >
      {children}
    </svg>
  );
}

interface AxesProps {
  x: Scale;
  y: Scale;
  width: number;
  height: number;
  xLabel: string;
  yLabel: string;
}

function Axes({ x, y, width, height, xLabel, yLabel }: AxesProps) {
  return (
    <g aria-hidden="true">
      {y.ticks.map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={width - RIGHT} y1={y(tick)} y2={y(tick)} className="stroke-line/50" />
          <text x={LEFT - 8} y={y(tick) + 4} textAnchor="end" className="fill-dim">
            {formatNumber(tick)}
          </text>
        </g>
      ))}
      {x.ticks.map((tick) => (
        <text
          key={tick}
          x={x(tick)}
          y={height - BOTTOM + 18}
          textAnchor="middle"
          className="fill-dim"
        >
          {formatNumber(tick)}
        </text>
      ))}
      <text x={width - RIGHT} y={height - 6} textAnchor="end" className="fill-ink font-semibold">
        {xLabel}
      </text>
      <text x={0} y={TOP} className="fill-ink font-semibold">
        {yLabel}
      </text>
    </g>
  );
}

interface LinesProps {
  lines: readonly ReferenceLine[];
  scale: Scale;
  at: "x" | "y";
  from: number;
  to: number;
  width: number;
}

/** Lines of published scores and programs, with their names. `from` and `to` are their ends. */
function Lines({ lines, scale, at, from, to, width }: LinesProps) {
  const places = lines.map(({ value }) => scale(value));
  // Names beside vertical lines are written below each other, so that none covers another one.
  const labels = spreadLabels(at === "y" ? places.map((y) => y - 4) : lines.map(() => from), 13);
  return (
    <g>
      {lines.map(({ name, value }, index) => {
        const place = places[index] ?? 0;
        const ends =
          at === "y"
            ? { x1: from, x2: to, y1: place, y2: place }
            : { x1: place, x2: place, y1: from, y2: to };
        const isAtEnd = at === "x" && place > width * 0.6;
        return (
          <g key={`${name} ${String(value)} ${String(index)}`}>
            <line {...ends} strokeDasharray="3 4" strokeWidth={1.5} className="stroke-ink" />
            <text
              x={at === "y" ? to : place + (isAtEnd ? -4 : 4)}
              y={(labels[index] ?? 0) + (at === "y" ? 0 : 10)}
              textAnchor={at === "y" || isAtEnd ? "end" : "start"}
              strokeWidth={4}
              paintOrder="stroke"
              className="fill-ink stroke-surface"
            >
              {`${name} ${formatNumber(value)}`}
            </text>
          </g>
        );
      })}
    </g>
  );
}

/** Names of the groups with their colours and dashes; nothing for a single group. */
export function Legend({
  names,
  isFilled = false,
}: {
  names: readonly string[];
  isFilled?: boolean;
}) {
  const { i18n } = useLingui();
  if (names.length < 2) return null;
  return (
    <ul aria-label={i18n._("Groups")} className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
      {names.map((name, index) => (
        <li key={name} className="flex items-center gap-2">
          <svg width="28" height="12" aria-hidden="true">
            {isFilled ? (
              <rect width="12" height="12" x="8" className={pick(FILLS, index)} />
            ) : (
              <line
                x2="28"
                y1="6"
                y2="6"
                strokeWidth="3"
                strokeDasharray={pick(DASHES, index)}
                className={pick(STROKES, index)}
              />
            )}
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

export interface CurvePoint {
  x: number;
  y: number;
  /** Lower and upper end of the band. */
  low?: number;
  high?: number;
  /** Number of players. */
  n: number;
}

interface CurvesProps {
  label: string;
  width: number;
  curves: readonly { name: string; points: readonly CurvePoint[] }[];
  xLabel: string;
  yLabel: string;
  /** Shows the numbers of players below the curves. */
  hasCounts?: boolean;
  lines?: readonly ReferenceLine[];
  /** The axis of the lines' values. */
  linesAt?: "x" | "y";
}

/** Lines with bands, and below them the number of players behind each point. */
export function Curves({
  label,
  width,
  curves,
  xLabel,
  yLabel,
  hasCounts = false,
  lines = [],
  linesAt = "y",
}: CurvesProps) {
  const { i18n } = useLingui();
  const lineValues = lines.map(({ value }) => value);
  const strip = hasCounts ? 64 : 0;
  const height = HEIGHT + strip;
  const all = curves.flatMap(({ points }) => points);
  const x = makeScale(
    extent([...all.map((point) => point.x), ...(linesAt === "x" ? lineValues : [])]),
    [LEFT, width - RIGHT],
    width / 110,
  );
  const y = makeScale(
    extent([
      ...all.flatMap(({ y: middle, low = middle, high = middle }) => [low, middle, high]),
      ...(linesAt === "y" ? lineValues : []),
    ]),
    [HEIGHT - BOTTOM, TOP + 14],
  );
  const most = Math.max(...all.map(({ n }) => n), 1);
  const count = makeScale([0, most], [height - 6, HEIGHT + 14], 3);
  const area = (points: readonly CurvePoint[]) =>
    [
      ...points.map((point) => `${String(x(point.x))},${String(y(point.high ?? point.y))}`),
      ...points
        .toReversed()
        .map((point) => `${String(x(point.x))},${String(y(point.low ?? point.y))}`),
    ].join(" ");
  const line = (points: readonly CurvePoint[], to: (point: CurvePoint) => number) =>
    points.map((point) => `${String(x(point.x))},${String(to(point))}`).join(" ");
  return (
    <Frame label={label} width={width} height={height}>
      <Axes x={x} y={y} width={width} height={HEIGHT} xLabel={xLabel} yLabel={yLabel} />
      {curves.map(({ name, points }, index) => (
        <polygon
          key={name}
          points={area(points)}
          fillOpacity={0.18}
          className={pick(FILLS, index)}
        />
      ))}
      {curves.map(({ name, points }, index) => (
        <polyline
          key={name}
          points={line(points, (point) => y(point.y))}
          fill="none"
          strokeWidth={2.5}
          strokeDasharray={pick(DASHES, index)}
          className={pick(STROKES, index)}
        />
      ))}
      <Lines
        lines={lines}
        scale={linesAt === "y" ? y : x}
        at={linesAt}
        from={linesAt === "y" ? LEFT : TOP + 14}
        to={linesAt === "y" ? width - RIGHT : HEIGHT - BOTTOM}
        width={width}
      />
      {hasCounts && (
        <g>
          <text x={0} y={HEIGHT + 8} className="fill-ink font-semibold">
            {i18n._("Players")}
          </text>
          {count.ticks.map((tick) => (
            <text key={tick} x={LEFT - 8} y={count(tick) + 4} textAnchor="end" className="fill-dim">
              {formatNumber(tick)}
            </text>
          ))}
          {curves.map(({ name, points }, index) => (
            <polyline
              key={name}
              points={line(points, (point) => count(point.n))}
              fill="none"
              strokeWidth={2}
              strokeDasharray={pick(DASHES, index)}
              className={pick(STROKES, index)}
            />
          ))}
        </g>
      )}
    </Frame>
  );
}

interface BarsProps {
  label: string;
  width: number;
  bars: readonly { name: string; value: number; note: string }[];
}

/** Horizontal bars with their values as text. */
export function Bars({ label, width, bars }: BarsProps) {
  const row = 30;
  const names = Math.min(180, width * 0.4);
  const most = Math.max(...bars.map(({ value }) => value), 0);
  const scale = makeScale([0, most], [names, width - 90]);
  return (
    <Frame label={label} width={width} height={bars.length * row + 4}>
      {bars.map(({ name, value, note }, index) => (
        <g key={name}>
          <text x={names - 8} y={index * row + 20} textAnchor="end" className="fill-ink">
            {name.length > 24 ? `${name.slice(0, 23)}…` : name}
          </text>
          <rect
            x={names}
            y={index * row + 5}
            width={Math.max(scale(value) - names, value > 0 ? 1 : 0)}
            height={row - 8}
            rx={3}
            className="fill-series-1"
          />
          <text x={scale(value) + 6} y={index * row + 20} className="fill-dim">
            {note}
          </text>
        </g>
      ))}
    </Frame>
  );
}

interface ColumnsProps {
  label: string;
  width: number;
  columns: readonly { name: string; parts: readonly number[] }[];
  yLabel: string;
}

/** Stacked columns. Their names are shown as far as there is space. */
export function Columns({ label, width, columns, yLabel }: ColumnsProps) {
  const sums = columns.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0));
  const x = makeScale([0, columns.length], [LEFT, width - RIGHT]);
  const y = makeScale([0, Math.max(...sums, 1)], [HEIGHT - BOTTOM, TOP + 14]);
  const every = Math.max(1, Math.ceil((columns.length * 90) / width));
  const size = Math.max(1, x(1) - x(0) - 1);
  const noTicks = Object.assign((value: number) => x(value), { ticks: [] });
  return (
    <Frame label={label} width={width}>
      <Axes x={noTicks} y={y} width={width} height={HEIGHT} xLabel="" yLabel={yLabel} />
      {columns.map(({ name, parts }, index) => {
        let below = 0;
        return (
          <g key={name}>
            {parts.map((part, series) => {
              const top = y(below + part);
              const height = y(below) - top;
              below += part;
              return (
                <rect
                  key={series}
                  x={x(index)}
                  y={top}
                  width={size}
                  height={height}
                  className={pick(FILLS, series)}
                />
              );
            })}
            {index % every === 0 && (
              <text x={x(index)} y={HEIGHT - BOTTOM + 18} className="fill-dim">
                {name}
              </text>
            )}
          </g>
        );
      })}
    </Frame>
  );
}

interface IntervalsProps {
  label: string;
  width: number;
  rows: readonly { name: string; low: number; middle: number; high: number; note: string }[];
  xLabel: string;
  lines?: readonly ReferenceLine[];
}

/** One line per row: a point with its interval. A line at 0 if it is in the range. */
export function Intervals({ label, width, rows, xLabel, lines = [] }: IntervalsProps) {
  const row = 46;
  // The names of the lines are above the rows.
  const top = lines.length * 13;
  const height = top + rows.length * row + BOTTOM;
  const x = makeScale(
    extent([
      0,
      ...rows.flatMap(({ low, high }) => [low, high]),
      ...lines.map(({ value }) => value),
    ]),
    [12, width - RIGHT],
    width / 110,
  );
  return (
    <Frame label={label} width={width} height={height}>
      {x.ticks.map((tick) => (
        <g key={tick}>
          <line
            x1={x(tick)}
            x2={x(tick)}
            y1={0}
            y2={height - BOTTOM}
            className={tick === 0 ? "stroke-dim" : "stroke-line/50"}
          />
          <text x={x(tick)} y={height - BOTTOM + 18} textAnchor="middle" className="fill-dim">
            {formatNumber(tick)}
          </text>
        </g>
      ))}
      <Lines lines={lines} scale={x} at="x" from={0} to={height - BOTTOM} width={width} />
      {rows.map(({ name, low, middle, high, note }, index) => (
        <g key={name}>
          <text
            x={12}
            y={top + index * row + 16}
            strokeWidth={4}
            paintOrder="stroke"
            className="fill-ink stroke-surface font-semibold"
          >
            {name}
            <tspan className="fill-dim font-normal">{`  ${note}`}</tspan>
          </text>
          <line
            x1={x(low)}
            x2={x(high)}
            y1={top + index * row + 32}
            y2={top + index * row + 32}
            strokeWidth={4}
            className={pick(STROKES, index)}
          />
          <circle cx={x(middle)} cy={top + index * row + 32} r={6} className={pick(FILLS, index)} />
        </g>
      ))}
      <text x={width - RIGHT} y={height - 6} textAnchor="end" className="fill-ink font-semibold">
        {xLabel}
      </text>
    </Frame>
  );
}

interface DotsProps {
  label: string;
  width: number;
  series: readonly {
    name: string;
    dots: readonly { x: number; y: number; episodeId: string }[];
  }[];
  xLabel: string;
  yLabel: string;
  lines?: readonly ReferenceLine[];
}

/** Episodes as points that open their replays. The table behind the chart has the same links for keyboards. */
export function Dots({ label, width, series, xLabel, yLabel, lines = [] }: DotsProps) {
  const { i18n } = useLingui();
  const all = series.flatMap(({ dots }) => dots);
  const x = makeScale(extent(all.map((dot) => dot.x)), [LEFT, width - RIGHT], width / 110);
  const y = makeScale(extent([...all.map((dot) => dot.y), ...lines.map(({ value }) => value)]), [
    HEIGHT - BOTTOM,
    TOP + 14,
  ]);
  return (
    <Frame label={label} width={width} hasLinks>
      <Axes x={x} y={y} width={width} height={HEIGHT} xLabel={xLabel} yLabel={yLabel} />
      {series.map(({ name, dots }, index) =>
        dots.map((dot) => (
          <Link
            key={dot.episodeId}
            to={paths.replay(dot.episodeId)}
            tabIndex={-1}
            aria-label={i18n._("Replay of {name}: {score}", { name, score: formatNumber(dot.y) })}
          >
            <circle
              cx={x(dot.x)}
              cy={y(dot.y)}
              r={4}
              fillOpacity={0.7}
              className={`hover:stroke-ink ${pick(FILLS, index) ?? ""}`}
            />
          </Link>
        )),
      )}
      <Lines lines={lines} scale={y} at="y" from={LEFT} to={width - RIGHT} width={width} />
    </Frame>
  );
}
