import { i18n } from "@/lib/i18n";
import type { DatasetVersionItem, VersionId } from "@/api/datasets";
import { formatCount } from "@/lib/format";

/** The name of a version, as `parseVersion` reads it. */
export const writeVersion = ({ name, number }: VersionId) => `${name}@${String(number)}`;

export const nameOf = (version: DatasetVersionItem) =>
  writeVersion({ name: version.dataset_name, number: version.number });

/** "people@2" -> its name and number; null if it is no version */
export function parseVersion(text: string | null): VersionId | null {
  const found = /^([a-z0-9-]+)@([1-9]\d{0,5})$/.exec(text ?? "");
  const [, name, number] = found ?? [];
  return name === undefined || number === undefined ? null : { name, number: Number(number) };
}

const SCOPES: Readonly<Record<string, string>> = {
  research: /*i18n*/ "Research",
  publication: /*i18n*/ "Publication",
};

/** Name of the scope that a version is for. */
export const describeScope = (scope: string): string => i18n._(SCOPES[scope] ?? scope);

/** "3 episodes, 2 players, 40 steps" */
export function describeSize(version: DatasetVersionItem): string {
  const parts = [
    formatCount(version.n_episodes, "episode"),
    formatCount(version.n_players, "player"),
    formatCount(version.n_steps, "step"),
  ];
  return parts.join(", ");
}
