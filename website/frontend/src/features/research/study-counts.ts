import type { StudyStatus } from "@/api/research";

type Counts = StudyStatus["counts"];

/** Heading of participants whose arm is not drawn yet. */
export const NOT_DRAWN = /*i18n*/ "not drawn";
const FIRST_STATUSES = ["active", "complete", "expired"];

export interface CountTable {
  /** Headings of the columns, with the key of their cells. */
  columns: readonly string[];
  /** Heading of each row, and its cells in the order of the columns. */
  rows: readonly (readonly [string, readonly number[]])[];
}

const armOf = ({ arm }: Counts[number]) => arm ?? NOT_DRAWN;
const unique = (values: readonly string[]) => [...new Set(values)];

function listArms(counts: Counts): string[] {
  const arms = unique(counts.map(armOf).filter((arm) => arm !== NOT_DRAWN)).sort();
  return counts.some(({ arm }) => arm === null) ? [NOT_DRAWN, ...arms] : arms;
}

function sum(counts: Counts): number {
  return counts.reduce((total, { participants }) => total + participants, 0);
}

/** Participants by arm and status, with the sum of each arm. */
export function countStatuses(counts: Counts): CountTable {
  const found = unique(counts.map(({ status }) => status)).sort();
  const others = found.filter((status) => !FIRST_STATUSES.includes(status));
  const statuses = [...FIRST_STATUSES, ...others];
  const rows = listArms(counts).map((arm) => {
    const own = counts.filter((count) => armOf(count) === arm);
    const cells = statuses.map((status) => sum(own.filter((count) => count.status === status)));
    return [arm, [...cells, sum(own)]] as const;
  });
  return { columns: [...statuses, "all"], rows };
}

/** Participants that are in each stage (active), or that left it (with another status), by arm. */
export function countStages(counts: Counts, isActive: boolean): CountTable {
  const chosen = counts.filter(
    ({ status, stage_name: stage }) => stage !== "" && (status === "active") === isActive,
  );
  const first = new Map<string, number>();
  for (const { stage_name: name, stage } of chosen)
    first.set(name, Math.min(stage, first.get(name) ?? stage));
  const stages = [...first].sort(([, a], [, b]) => a - b).map(([name]) => name);
  const arms = listArms(chosen);
  const rows = stages.map((stage) => {
    const own = chosen.filter(({ stage_name: name }) => name === stage);
    return [stage, arms.map((arm) => sum(own.filter((one) => armOf(one) === arm)))] as const;
  });
  return { columns: arms, rows };
}
