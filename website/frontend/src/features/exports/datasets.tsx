import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import { datasetVersionsQuery, type VersionId } from "@/api/datasets";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import { DataTable } from "./data-table";
import { DatasetVersionView } from "./dataset-version";
import { SaveDataset } from "./save-dataset";
import { nameOf, parseVersion, writeVersion } from "./version-names";

const VERSION_PARAMETER = "dataset";

/** Saves the episodes in view as a dataset, lists the saved ones, and shows one version. */
export function Datasets({ userId, filters }: { userId: string; filters: string }) {
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
          Saved datasets
        </h2>
        {versions.isPending && (
          <p role="status" className="py-8 text-dim">
            Loading…
          </p>
        )}
        {versions.isError && (
          <Message
            isError
            title="Cannot load the datasets"
            action={<Button onClick={() => void versions.refetch()}>Try again</Button>}
          >
            {versions.error.message}
          </Message>
        )}
        {versions.data?.length === 0 && (
          <p className="py-4 text-dim">None yet. Choose filters above and save them.</p>
        )}
        {versions.data !== undefined && versions.data.length > 0 && (
          <DataTable
            label="Versions"
            columns={["Version", "Saved", "For", "Players", "Episodes", "Steps"]}
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
                `${version.time_created.slice(0, 10)}${version.cause === "removal" ? ", after a removal" : ""}`,
                version.scope,
                ...[version.n_players, version.n_episodes, version.n_steps].map((value) =>
                  value.toLocaleString("en"),
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
