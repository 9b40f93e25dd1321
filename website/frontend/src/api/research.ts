import { queryOptions } from "@tanstack/react-query";

import { fetchPrivateFile, sendRequest } from "./client";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type ChartAnswer = Schemas["ChartAnswer"];
export type StudyStatus = Schemas["StudyStatus"];
export type Cell = ChartAnswer["rows"][number][number];
export type ChartName = paths["/research/charts/{chart}"]["get"]["parameters"]["path"]["chart"];

const STUDY_STATUS_MS = 5000;

const chartPath = (chart: ChartName, query: string) =>
  `/research/charts/${chart}${query === "" ? "" : `?${query}`}`;

/** Key of all charts of a user. */
export const chartsKey = (userId: string) => ["research", userId, "chart"] as const;

/** A chart. `query` holds the filters; the key contains the user, so that the next one reads anew. */
export const chartQuery = (userId: string, chart: ChartName, query: string) =>
  queryOptions({
    queryKey: [...chartsKey(userId), chart, query],
    queryFn: ({ signal }) =>
      sendRequest<ChartAnswer>(chartPath(chart, query), { isAuthenticated: true, signal }),
    staleTime: 60_000,
  });

export interface FramePicture {
  /** The picture as a data URL, so that it stays in a saved SVG. */
  href: string;
  width: number;
  height: number;
}

/** Picture of a frame of an episode, as PNG. A recording without frames has none. */
export const framePictureQuery = (userId: string, episodeId: string, frame: number) =>
  queryOptions({
    queryKey: ["research", userId, "picture", episodeId, frame],
    queryFn: async (): Promise<FramePicture> => {
      const range = `first=${String(frame)}&end=${String(frame + 1)}`;
      const png = await fetchPrivateFile(`/episodes/${episodeId}/clips?format=png&${range}`);
      const view = new DataView(png.buffer, png.byteOffset);
      // The first chunk of a PNG starts with width and height.
      const [width, height] = [view.getUint32(16), view.getUint32(20)];
      const text = Array.from(png, (byte) => String.fromCharCode(byte)).join("");
      return { href: `data:image/png;base64,${btoa(text)}`, width, height };
    },
    staleTime: Infinity,
    retry: false,
  });

/** How many episodes the charts do not have yet. Refetched while the server measures them. */
export const measuresQuery = (userId: string) =>
  queryOptions({
    queryKey: ["research", userId, "measures"],
    queryFn: ({ signal }) =>
      sendRequest<Schemas["MeasureState"]>("/research/measures", { isAuthenticated: true, signal }),
    refetchInterval: ({ state }) => ((state.data?.unmeasured ?? 0) > 0 ? 3000 : false),
  });

/** The studies that were opened. */
export const studiesQuery = (userId: string) =>
  queryOptions({
    queryKey: ["research", userId, "studies"],
    queryFn: ({ signal }) =>
      sendRequest<readonly Schemas["StudySummary"][]>("/research/studies", {
        isAuthenticated: true,
        signal,
      }),
  });

/** Where the participants of a study are. It is read again while the page is shown. */
export const studyStatusQuery = (userId: string, name: string) =>
  queryOptions({
    queryKey: ["research", userId, "studies", name],
    queryFn: ({ signal }) =>
      sendRequest<StudyStatus>(`/research/studies/${encodeURIComponent(name)}`, {
        isAuthenticated: true,
        signal,
      }),
    refetchInterval: STUDY_STATUS_MS,
  });

/** Downloads the rows of a chart as CSV. */
export const fetchChartCsv = (chart: ChartName, query: string): Promise<Uint8Array> =>
  fetchPrivateFile(chartPath(chart, query === "" ? "format=csv" : `${query}&format=csv`));
