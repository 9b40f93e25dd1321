import type { ChartAnswer } from "@/api/research";

import { formatCount } from "@/lib/format";
import { i18n } from "@/lib/i18n";

import { formatNumber } from "./scale";

/** A published score, or the mean of a program, drawn as a line beside people. */
export interface ReferenceLine {
  name: string;
  value: number;
  /** How the value was measured, and what differs from the shown episodes. */
  protocol: string;
}

/** Returns the lines to draw: of humans only the one whose score is 1 of the normalised scale. */
export function listLines(
  answer: ChartAnswer | undefined,
  wanted: string,
  source: string,
): ReferenceLine[] {
  if (answer === undefined) return [];
  const indexOf = (name: string) => answer.columns.findIndex((column) => column.name === name);
  const [kind, name, value, episodes, protocol, differs] = [
    "kind",
    "name",
    "value",
    "episodes",
    "protocol",
    "differs",
  ].map(indexOf) as [number, number, number, number, number, number];
  const kinds = {
    published: ["random", "human", "agent"],
    programs: ["program"],
    all: ["random", "human", "agent", "program"],
  }[wanted];
  return answer.rows.flatMap((row) => {
    const isWanted =
      kinds?.includes(String(row[kind])) === true &&
      (row[kind] !== "human" || String(row[name]).endsWith(`, ${source}`));
    if (!isWanted || typeof row[value] !== "number") return [];
    const count =
      typeof row[episodes] === "number" ? `, ${formatCount(row[episodes], "episode")}` : "";
    const difference =
      row[differs] === null
        ? ""
        : `; ${i18n._("differs in {what}", { what: String(row[differs]) })}`;
    return {
      name: String(row[name]),
      value: row[value],
      protocol: `${String(row[protocol])}${count}${difference}`,
    };
  });
}

/** Returns the part of the lines that a plot with these values shows: the axis at most doubles. */
export function fitLines(
  lines: readonly ReferenceLine[],
  [low, high]: readonly [number, number],
): readonly ReferenceLine[] {
  const span = high - low || 1;
  return lines.filter(({ value }) => value >= low - span / 2 && value <= high + span / 2);
}

/** Returns places for labels at these positions, at least `gap` apart, in the same order. */
export function spreadLabels(positions: readonly number[], gap: number): number[] {
  const placed: number[] = [];
  const sorted = positions.map((at, index) => ({ at, index })).sort((a, b) => a.at - b.at);
  let least = -Infinity;
  for (const { at, index } of sorted) {
    placed[index] = Math.max(at, least);
    least = placed[index] + gap;
  }
  return placed;
}

/** Returns the text of the lines for those who do not see the plot. */
export const describeLines = (lines: readonly ReferenceLine[]): string =>
  lines.length === 0 ? "" : ` ${listLineValues(lines)}.`;

function listLineValues(lines: readonly ReferenceLine[]): string {
  const values = lines.map(({ name, value }) => `${name} ${formatNumber(value)}`).join(", ");
  return i18n._("Lines: {values}", { values });
}

/** The lines with their values and protocols. Those outside of the plot are listed too. */
export function LineList({
  lines,
  shown,
}: {
  lines: readonly ReferenceLine[];
  shown: readonly ReferenceLine[];
}) {
  if (lines.length === 0) return null;
  return (
    <details className="mt-2 text-sm">
      <summary className="min-h-11 cursor-pointer py-2 font-semibold text-link">
        {listLineValues(lines)}
      </summary>
      <ul className="grid max-w-prose list-disc gap-1 pl-5 text-pretty text-dim">
        {lines.map((line) => (
          <li key={`${line.name} ${line.protocol}`}>
            <span className="font-semibold text-ink">{line.name}</span>
            {` ${formatNumber(line.value)}${shown.includes(line) ? "" : ` ${i18n._("(outside of the chart)")}`}: ${line.protocol}`}
          </li>
        ))}
      </ul>
    </details>
  );
}
