import { queryOptions } from "@tanstack/react-query";

import { sendRequest, type ExportFormat, type ExportTicket } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type DatasetVersionItem = Schemas["DatasetVersionItem"];
export type DatasetVersion = Schemas["DatasetVersionDetails"];
export type SaveDatasetRequest = Schemas["SaveDatasetRequest"];

/** A version of a dataset, by name and number. */
export interface VersionId {
  name: string;
  number: number;
}

const versionPath = ({ name, number }: VersionId) => `/research/datasets/${name}/${String(number)}`;

/** Key of everything about datasets; saving a version invalidates it. */
export const datasetsKey = (userId: string) => ["research", userId, "datasets"];

/** All versions of all datasets, the newest of each dataset first. */
export const datasetVersionsQuery = (userId: string) =>
  queryOptions({
    queryKey: [...datasetsKey(userId), "list"],
    queryFn: ({ signal }) =>
      sendRequest<readonly DatasetVersionItem[]>("/research/datasets", {
        isAuthenticated: true,
        signal,
      }),
  });

export const datasetVersionQuery = (userId: string, id: VersionId) =>
  queryOptions({
    queryKey: [...datasetsKey(userId), "version", id.name, id.number],
    queryFn: ({ signal }) =>
      sendRequest<DatasetVersion>(versionPath(id), { isAuthenticated: true, signal }),
  });

/** Which episodes two versions share. `other` is written as `name@2`. */
export const datasetComparisonQuery = (userId: string, id: VersionId, other: string) =>
  queryOptions({
    queryKey: [...datasetsKey(userId), "comparison", id.name, id.number, other],
    queryFn: ({ signal }) =>
      sendRequest<Schemas["DatasetComparison"]>(
        `${versionPath(id)}/comparison?${new URLSearchParams({ other }).toString()}`,
        { isAuthenticated: true, signal },
      ),
  });

export const saveDataset = (body: SaveDatasetRequest) =>
  sendRequest<DatasetVersion>("/research/datasets", {
    method: "POST",
    body,
    isAuthenticated: true,
  });

export const requestDatasetExport = (id: VersionId, format: ExportFormat) =>
  sendRequest<ExportTicket>(`${versionPath(id)}/exports`, {
    method: "POST",
    body: { format } satisfies Schemas["DatasetExportRequest"],
    isAuthenticated: true,
  });
