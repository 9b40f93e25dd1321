import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import type { ExportFormat } from "@/api/client";
import {
  datasetComparisonQuery,
  datasetVersionQuery,
  requestDatasetExport,
  type DatasetVersion,
  type VersionId,
} from "@/api/datasets";
import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { formatCount } from "@/lib/format";

import { DataTable } from "./data-table";
import { DownloadStatus } from "./download-status";
import { FORMATS } from "./formats";
import { isInProgress, useDownload } from "./use-download";
import { describeSize, writeVersion, describeScope } from "./version-names";

interface Props {
  userId: string;
  id: VersionId;
  /** Names of the other versions, to compare with. */
  others: readonly string[];
}

const fieldClass = "h-11 min-w-0 rounded-xl border-2 border-line bg-surface px-3 text-ink";

/** A version of a dataset: contents, download, comparison, citation. */
export function DatasetVersionView({ userId, id, others }: Props) {
  const { i18n } = useLingui();
  const version = useQuery(datasetVersionQuery(userId, id));
  const name = writeVersion(id);
  return (
    <section aria-labelledby="dataset-version" aria-busy={version.isFetching}>
      <h2 id="dataset-version" className="text-2xl font-bold">
        {name}
      </h2>
      {version.isPending && (
        <p role="status" className="py-8 text-dim">
          {i18n._("Loading…")}
        </p>
      )}
      {version.isError && (
        <Message
          isError
          title={i18n._("Cannot load this version")}
          action={<Button onClick={() => void version.refetch()}>{i18n._("Try again")}</Button>}
        >
          {version.error.message}
        </Message>
      )}
      {version.data !== undefined && (
        <Contents userId={userId} id={id} version={version.data} others={others} />
      )}
    </section>
  );
}

function Contents({ userId, id, version, others }: Props & { version: DatasetVersion }) {
  const { i18n } = useLingui();
  const isLost = version.removed_since > 0;
  return (
    <div className="grid grid-cols-1 gap-4">
      <p className="mt-1 text-dim">
        {version.title !== "" && `${version.title}. `}
        {i18n._("{size}, for {scope}.", {
          size: describeSize(version),
          scope: describeScope(version.scope),
        })}{" "}
        {version.n_without_consent > 0 &&
          i18n._(
            "{count, plural, one {# more episode} other {# more episodes}} matched without that consent.",
            { count: version.n_without_consent },
          )}
      </p>
      {isLost ? (
        <p role="alert" className="max-w-prose font-semibold text-link">
          {i18n._(
            "{count, plural, one {# episode of this version was} other {# episodes of this version were}} erased or withdrawn, so it cannot be downloaded any more. Use the newest version.",
            { count: version.removed_since },
          )}
        </p>
      ) : (
        <Download id={id} />
      )}
      <DataTable
        label={i18n._("Games of {name}", { name: id.name })}
        columns={[
          i18n._("Game"),
          i18n._("Players"),
          i18n._("Episodes"),
          i18n._("Certified"),
          i18n._("Steps"),
        ]}
        rows={version.games.map((game) => ({
          key: game.game_id,
          name: game.game_id,
          cells: [game.players, game.episodes, game.certified, game.steps].map((value) =>
            i18n.number(value),
          ),
        }))}
      />
      {version.removed.length > 0 && (
        <Text
          summary={i18n._("Removed from the version before: {episodes}", {
            episodes: formatCount(version.removed.length, "episode"),
          })}
        >
          {version.removed.join("\n")}
        </Text>
      )}
      <Comparison userId={userId} id={id} others={others} />
      <Text summary={i18n._("Query")}>{version.query}</Text>
      <Text summary={i18n._("Citation")}>{version.citation}</Text>
      <Text summary={i18n._("Versions and digest")}>
        {[
          `sha256 ${version.digest}`,
          `schema ${version.schema_version}`,
          ...Object.entries(version.software).map(([name, number]) => `${name} ${number}`),
          ...Object.entries(version.publications).map(
            ([address, time]) => `published ${time} ${address}`,
          ),
        ].join("\n")}
      </Text>
    </div>
  );
}

function Download({ id }: { id: VersionId }) {
  const { i18n } = useLingui();
  const [format, setFormat] = useState<ExportFormat>("minari");
  const { ticketRequest, progress } = useDownload((chosen: ExportFormat) =>
    requestDatasetExport(id, chosen),
  );
  const isBusy = ticketRequest.isPending || isInProgress(progress);
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-end gap-4">
        <label className="grid gap-1.5 font-bold">
          {i18n._("Format")}
          <select
            className={fieldClass}
            value={format}
            onChange={({ target }) => {
              const chosen = FORMATS.find((one) => one.id === target.value);
              if (chosen !== undefined) setFormat(chosen.id);
            }}
          >
            {FORMATS.map(({ id: name, name: label }) => (
              <option key={name} value={name}>
                {i18n._(label)}
              </option>
            ))}
          </select>
        </label>
        <Button disabled={isBusy} onClick={() => ticketRequest.mutate(format)}>
          {isBusy ? i18n._("Downloading…") : i18n._("Download")}
        </Button>
      </div>
      <DownloadStatus
        ticket={ticketRequest.data}
        progress={progress}
        requestError={ticketRequest.error?.message}
      />
    </div>
  );
}

function Comparison({ userId, id, others }: Props) {
  const { i18n } = useLingui();
  const [other, setOther] = useState("");
  const comparison = useQuery({
    ...datasetComparisonQuery(userId, id, other),
    enabled: other !== "",
  });
  if (others.length === 0) return null;
  return (
    <div className="grid justify-items-start gap-2">
      <label className="grid gap-1.5 font-bold">
        {i18n._("Compare with")}
        <select
          className={fieldClass}
          value={other}
          onChange={({ target }) => setOther(target.value)}
        >
          <option value="">{i18n._("No version")}</option>
          {others.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <p role="status">
        {comparison.isError && comparison.error.message}
        {comparison.data !== undefined &&
          [
            i18n._("{episodes} in both", {
              episodes: formatCount(comparison.data.same, "episode"),
            }),
            i18n._("{count} in both and changed", { count: comparison.data.changed }),
            i18n._("{count} only in {version}", {
              count: comparison.data.only_first,
              version: writeVersion(id),
            }),
            i18n._("{count} only in {version}", {
              count: comparison.data.only_second,
              version: other,
            }),
            i18n._("{count} erased since", {
              count: comparison.data.erased_first + comparison.data.erased_second,
            }),
          ].join("; ")}
      </p>
    </div>
  );
}

function Text({ summary, children }: { summary: string; children: string }) {
  return (
    <details>
      <summary className="min-h-11 cursor-pointer py-2 font-semibold text-link">{summary}</summary>
      <pre
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
        tabIndex={0}
        role="region"
        aria-label={summary}
        className="max-h-96 overflow-auto rounded-xl bg-raised p-4 text-sm"
      >
        {children}
      </pre>
    </details>
  );
}
