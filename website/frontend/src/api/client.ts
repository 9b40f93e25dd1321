import { getEnv } from "@/config/env";
import { consumeGamesResponse } from "@/config/bootstrap";

import type { components } from "./schema";
import { session } from "./session";

type Schemas = components["schemas"];
export type Game = Schemas["Game"];
export type GameControl = Schemas["GameControl"];
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

interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  /** Sends the session token. A 401 response ends the session. */
  isAuthenticated?: boolean;
  signal?: AbortSignal;
}

async function sendRequest<T>(
  path: string,
  { method = "GET", body, isAuthenticated, signal }: RequestOptions = {},
): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (isAuthenticated) headers.set("Authorization", `Bearer ${session.get()?.token ?? ""}`);
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal !== undefined) init.signal = signal;
  const response = await fetchFromServer(path, init);
  if (response.ok) return (await response.json()) as T;
  if (isAuthenticated && response.status === 401) session.set(null);
  throw await toApiError(response);
}

async function fetchFromServer(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(getEnv().http + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(
      "The server does not respond. Check your connection and try again.",
      0,
      "Unreachable",
    );
  }
}

/** A proxy may respond without JSON. */
async function toApiError(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as Partial<Schemas["Problem"]> | null;
  const message =
    problem?.message ?? `The request failed with status ${response.status}. Try again in a minute.`;
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
    const earlyResponse = await consumeGamesResponse(`${getEnv().http}/games`);
    if (earlyResponse !== null) return (await earlyResponse.json()) as readonly Game[];
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
  erase: (word: string) =>
    sendRequest<ErasureResult>("/me/erasure", {
      method: "POST",
      body: { word } satisfies Schemas["ErasureRequest"],
      isAuthenticated: true,
    }),
  ticket: (gameId: string) =>
    sendRequest<Schemas["Ticket"]>("/play/tickets", {
      method: "POST",
      body: { game_id: gameId } satisfies Schemas["TicketRequest"],
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

async function requireOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await toApiError(response);
}

/** Returns the URL of a game's picture. */
export const coverUrl = (cover: string): string => getEnv().http + cover;

/** Returns the URL of a download. */
export const downloadUrl = (ticket: ExportTicket): string => getEnv().http + ticket.address;

/** Returns the URL of a play socket. */
export const socketUrl = (
  gameId: string,
  ticket: string,
  options: Readonly<Record<string, string>>,
): string => {
  const query = new URLSearchParams({ token: ticket, ...options });
  return `${getEnv().socket}/ws/${encodeURIComponent(gameId)}?${query.toString()}`;
};
