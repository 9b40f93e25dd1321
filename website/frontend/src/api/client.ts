import { getEnv } from "@/config/env";
import { consumeGamesResponse } from "@/config/bootstrap";
import { i18n } from "@/lib/i18n";
import { translateServerText } from "@/lib/server-texts";

import { PROBLEMS } from "./problems";
import type { components } from "./schema";
import { session } from "./session";

type Schemas = components["schemas"];
export type Game = Schemas["Game"];
export type GameControl = Schemas["GameControl"];
export type GameAgent = Schemas["GameAgent"];
export type FirebaseMethod = Schemas["FirebaseMethod"];
export type LoginMethod = Schemas["EmailMethod"] | FirebaseMethod;
export type Episode = Schemas["PlayedEpisode"];
export type ExportFormat = Schemas["FormatName"];
export type ExportRequest = Schemas["ExportRequest"];
export type ExportTicket = Schemas["ExportTicket"];
export type ExportProgress = Schemas["ExportProgress"];
export type PlayedGame = Schemas["PlayedGame"];
export type Preferences = Schemas["Preferences"];
export type PlaySummary = Schemas["PlaySummary"];
export type GameSummary = Schemas["GameSummary"];
export type ErasureResult = Schemas["ErasureResult"];

/**
 * The back end rejected a request or did not respond (`status` 0). `message` is shown to the user.
 */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
  ) {
    super(message);
  }
}

/**
 * Returns the message of an error for the user. `notFound` replaces that of a 404, which is written
 * for developers.
 */
export const describeError = (error: Error, notFound: string): string =>
  error instanceof ApiError && error.status === 404 ? notFound : error.message;

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  /** Sends the session token. A 401 response ends the session. */
  isAuthenticated?: boolean;
  /**
   * Token of a link that shares an episode. With it the request needs no session, and a session is
   * sent too.
   */
  shareToken?: string | null;
  signal?: AbortSignal;
}

export async function sendRequest<T>(
  path: string,
  { method = "GET", body, isAuthenticated, shareToken, signal }: RequestOptions = {},
): Promise<T> {
  const headers = shareToken === undefined ? new Headers() : viewerHeaders(shareToken);
  headers.set("Accept", "application/json");
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (isAuthenticated) headers.set("Authorization", `Bearer ${session.get()?.token ?? ""}`);
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal !== undefined) init.signal = signal;
  const response = await fetchFromServer(path, init);
  if (response.ok) return (await response.json()) as T;
  if ((isAuthenticated ?? shareToken === null) && response.status === 401) session.set(null);
  throw await toApiError(response);
}

async function fetchFromServer(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(getEnv().http + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(
      i18n._("The server does not respond. Check your connection and try again."),
      0,
      "Unreachable",
    );
  }
}

/** A proxy may respond without JSON. */
async function toApiError(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as Partial<Schemas["Problem"]> | null;
  const message =
    problem?.message === undefined
      ? i18n._("The request failed with status {status}. Try again in a minute.", {
          status: response.status,
        })
      : translateServerText(problem.message, PROBLEMS[problem.error ?? ""]?.words);
  return new ApiError(message, response.status, problem?.error ?? "Unknown");
}

export const api = {
  loginMethod: (signal: AbortSignal) => sendRequest<LoginMethod>("/auth/login", { signal }),
  signInByFirebase: (idToken: string) =>
    sendRequest<Schemas["LoginResult"]>("/auth/login", {
      method: "POST",
      body: { id_token: idToken } satisfies Schemas["FirebaseSignIn"],
    }),
  signIn: (email: string) =>
    sendRequest<Schemas["LoginResult"]>("/auth/login", {
      method: "POST",
      body: { email } satisfies Schemas["EmailSignIn"],
    }),
  games: async (signal: AbortSignal) => {
    const { http, games } = getEnv();
    const earlyResponse = await consumeGamesResponse(games);
    if (earlyResponse !== null) return (await earlyResponse.json()) as readonly Game[];
    if (games !== `${http}/games`) {
      const file = await fetch(games, { signal });
      if (file.ok) return (await file.json()) as readonly Game[];
    }
    return sendRequest<readonly Game[]>("/games", { signal });
  },
  game: (id: string, signal: AbortSignal) =>
    sendRequest<Game>(`/games/${encodeURIComponent(id)}`, { signal }),
  episodes: (signal: AbortSignal) =>
    sendRequest<readonly Episode[]>("/me/episodes?limit=200", { isAuthenticated: true, signal }),
  playedGames: (signal: AbortSignal) =>
    sendRequest<readonly PlayedGame[]>("/research/games", { isAuthenticated: true, signal }),
  requestExport: (request: ExportRequest) =>
    sendRequest<ExportTicket>("/research/exports", {
      method: "POST",
      body: request,
      isAuthenticated: true,
    }),
  requestOwnExport: (format: ExportFormat) =>
    sendRequest<ExportTicket>("/me/exports", {
      method: "POST",
      body: { format } satisfies Schemas["OwnExportRequest"],
      isAuthenticated: true,
    }),
  exportProgress: (ticket: ExportTicket, signal: AbortSignal) =>
    sendRequest<ExportProgress>(ticket.progress, { signal }),
  preferences: () => sendRequest<Preferences | null>("/me/preferences", { isAuthenticated: true }),
  savePreferences: (body: Preferences) =>
    sendRequest<Preferences>("/me/preferences", { method: "PUT", body, isAuthenticated: true }),
  /**
   * A page of the player's episodes, newest first. `before` is the last id of the previous page.
   */
  episodePage: (before: string | null, limit: number, signal: AbortSignal) =>
    sendRequest<readonly Episode[]>(
      `/me/episodes?limit=${String(limit)}${before === null ? "" : `&before=${before}`}`,
      { isAuthenticated: true, signal },
    ),
  summary: (signal: AbortSignal) =>
    sendRequest<PlaySummary>("/me/summary", { isAuthenticated: true, signal }),
  erase: (word: string, idToken: string | null) =>
    sendRequest<ErasureResult>("/me/erasure", {
      method: "POST",
      body: { word, id_token: idToken } satisfies Schemas["ErasureRequest"],
      isAuthenticated: true,
    }),
  /** Ticket for the one try of a day's challenge. */
  dailyTicket: (day: string) =>
    sendRequest<Schemas["Ticket"]>("/challenges/tickets", {
      method: "POST",
      body: { day } satisfies Schemas["DailyTicketRequest"],
      isAuthenticated: true,
    }),
  ticket: (request: Schemas["TicketRequest"]) =>
    sendRequest<Schemas["Ticket"]>("/play/tickets", {
      method: "POST",
      body: request,
      isAuthenticated: true,
    }),
};

/** Downloads and compiles the emulator. */
export const fetchModule = (path: string): Promise<WebAssembly.Module> =>
  WebAssembly.compileStreaming(fetchFromServer(path, {}).then(requireOk));

/** Downloads a file that needs a session. */
export async function fetchPrivateFile(path: string): Promise<Uint8Array> {
  const headers = new Headers({ Authorization: `Bearer ${session.get()?.token ?? ""}` });
  return new Uint8Array(
    await (await requireOk(await fetchFromServer(path, { headers }))).arrayBuffer(),
  );
}

/** Headers of a viewer who has a session, a link that shares the episode, or both. */
function viewerHeaders(shareToken: string | null): Headers {
  const headers = new Headers();
  const token = session.get()?.token;
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  if (shareToken !== null) headers.set("Share-Token", shareToken);
  return headers;
}

/** Downloads a file of an episode as a viewer. */
export async function fetchEpisodeFile(
  path: string,
  shareToken: string | null,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  const init: RequestInit = { headers: viewerHeaders(shareToken) };
  if (signal !== undefined) init.signal = signal;
  return (await requireOk(await fetchFromServer(path, init))).arrayBuffer();
}

async function requireOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await toApiError(response);
}

/** Returns the URL of a game's picture: of the back end, or of a file beside the page. */
export const coverUrl = (cover: string): string =>
  cover.startsWith("/assets/") ? cover : getEnv().http + cover;

/** Returns the URL of a download. */
export const downloadUrl = (ticket: ExportTicket): string => getEnv().http + ticket.address;

/** Returns the URL of the socket of watchers. */
export const watchUrl = (origin: string | null): string =>
  `${origin ?? getEnv().socket}/ws/watch/live`;

/** Returns the URL of a play socket. `origin` is the one that the ticket names, if any. */
export const socketUrl = (
  gameId: string,
  options: Readonly<Record<string, string>>,
  origin?: string | null,
): string => {
  const query = new URLSearchParams(options).toString();
  return `${origin ?? getEnv().socket}/ws/${encodeURIComponent(gameId)}${query === "" ? "" : `?${query}`}`;
};
