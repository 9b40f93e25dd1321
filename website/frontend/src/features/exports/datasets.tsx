import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import { datasetVersionsQuery, type VersionId } from "@/api/datasets";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import { DataTable } from "./data-table";
import { DatasetVersionView } from "./dataset-version";
import { SaveDataset } from "./save-dataset";
import { nameOf, parseVersion, writeVersion, describeScope } from "./version-names";

const VERSION_PARAMETER = "dataset";

/** Saves the episodes in view as a dataset, lists the saved ones, and shows one version. */
export function Datasets({ userId, filters }: { userId: string; filters: string }) {
  const { i18n } = useLingui();
  const [address, setAddress] = useSearchParams();
  const versions = useQuery(datasetVersionsQuery(userId));
  const selected = parseVersion(address.get(VERSION_PARAMETER));
  const addressOf = (id: VersionId) => {
    const changed = new URLSearchParams(address);
    changed.set(VERSION_PARAMETER, writeVersion(id));
    return changed;
  };
  return (
    <div className="mt-6 grid max-w-5xl grid-cols-1 gap-10">
      <SaveDataset
        userId={userId}
        filters={filters}
        onSaved={(saved) =>
          setAddress(addressOf({ name: saved.dataset_name, number: saved.number }), {
            preventScrollReset: true,
          })
        }
      />
      <section aria-labelledby="saved-datasets">
        <h2 id="saved-datasets" className="text-2xl font-bold">
          {i18n._("Saved datasets")}
        </h2>
        {versions.isPending && (
          <p role="status" className="py-8 text-dim">
            {i18n._("Loading…")}
          </p>
        )}
        {versions.isError && (
          <Message
            isError
            title={i18n._("Cannot load the datasets")}
            action={<Button onClick={() => void versions.refetch()}>{i18n._("Try again")}</Button>}
          >
            {versions.error.message}
          </Message>
        )}
        {versions.data?.length === 0 && (
          <p className="py-4 text-dim">{i18n._("None yet. Choose filters above and save them.")}</p>
        )}
        {versions.data !== undefined && versions.data.length > 0 && (
          <DataTable
            label={i18n._("Versions")}
            columns={[
              i18n._("Version"),
              i18n._("Saved"),
              i18n._("For"),
              i18n._("Players"),
              i18n._("Episodes"),
              i18n._("Steps"),
            ]}
            rows={versions.data.map((version) => ({
              key: nameOf(version),
              name: (
                <Link
                  to={`?${addressOf({ name: version.dataset_name, number: version.number }).toString()}`}
                  preventScrollReset
                  className="inline-flex min-h-11 items-center text-link underline"
                >
                  {nameOf(version)}
                </Link>
              ),
              cells: [
                version.cause === "removal"
                  ? i18n._("{day}, after a removal", { day: version.time_created.slice(0, 10) })
                  : version.time_created.slice(0, 10),
                describeScope(version.scope),
                ...[version.n_players, version.n_episodes, version.n_steps].map((value) =>
                  i18n.number(value),
                ),
              ],
            }))}
          />
        )}
      </section>
      {selected !== null && versions.data !== undefined && (
        <DatasetVersionView
          key={writeVersion(selected)}
          userId={userId}
          id={selected}
          others={versions.data.map(nameOf).filter((name) => name !== writeVersion(selected))}
        />
      )}
    </div>
  );
}
