import { getEnv } from "@/config/env";
import { takeGames } from "@/config/first";

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
export type Summary = Schemas["Summary"];
export type MyGame = Schemas["MyGame"];
export type Erased = Schemas["Erased"];

/** The back end said no, or nothing at all (`status` 0). `message` is for people. */
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

interface Call {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  /** Send the sign-in token. A 401 then signs out: the token is no good any more. */
  signed?: boolean;
  signal?: AbortSignal;
}

async function call<T>(
  path: string,
  { method = "GET", body, signed, signal }: Call = {},
): Promise<T> {
  const headers = new Headers({ Accept: "application/json" });
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (signed) headers.set("Authorization", `Bearer ${session.get()?.token ?? ""}`);
  const init: RequestInit = { method, headers };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal !== undefined) init.signal = signal;
  const response = await reach(path, init);
  if (response.ok) return (await response.json()) as T;
  if (signed && response.status === 401) session.set(null);
  throw await readProblem(response);
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(getEnv().http + path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("The server does not answer. Try again in a moment.", 0, "Unreachable");
  }
}

/** A proxy on the way may answer without our JSON. */
async function readProblem(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as Partial<Schemas["Problem"]> | null;
  const message =
    problem?.message ??
    `The server answered with an error (${response.status}). Try again in a moment.`;
  return new ApiError(message, response.status, problem?.error ?? "Unknown");
}

export const api = {
  loginMethod: (signal: AbortSignal) => call<LoginMethod>("/auth/login", { signal }),
  signInByFirebase: (idToken: string) =>
    call<Schemas["SignedIn"]>("/auth/login", {
      method: "POST",
      body: { id_token: idToken } satisfies Schemas["FirebaseSignIn"],
    }),
  signIn: (email: string) =>
    call<Schemas["SignedIn"]>("/auth/login", {
      method: "POST",
      body: { email } satisfies Schemas["SignIn"],
    }),
  games: async (signal: AbortSignal) => {
    const early = await takeGames(`${getEnv().http}/games`);
    if (early !== null) return (await early.json()) as readonly Game[];
    return call<readonly Game[]>("/games", { signal });
  },
  game: (id: string, signal: AbortSignal) =>
    call<Game>(`/games/${encodeURIComponent(id)}`, { signal }),
  episodes: (signal: AbortSignal) =>
    call<readonly Episode[]>("/me/episodes?limit=200", { signed: true, signal }),
  playedGames: (signal: AbortSignal) =>
    call<readonly PlayedGame[]>("/research/games", { signed: true, signal }),
  askExport: (request: ExportRequest) =>
    call<ExportTicket>("/research/exports", { method: "POST", body: request, signed: true }),
  askOwnExport: (format: ExportFormat) =>
    call<ExportTicket>("/me/exports", {
      method: "POST",
      body: { format } satisfies Schemas["OwnExportRequest"],
      signed: true,
    }),
  exportProgress: (ticket: ExportTicket, signal: AbortSignal) =>
    call<ExportProgress>(ticket.progress, { signal }),
  preferences: () => call<Preferences | null>("/me/preferences", { signed: true }),
  keepPreferences: (body: Preferences) =>
    call<Preferences>("/me/preferences", { method: "PUT", body, signed: true }),
  /** A page of the player's episodes, newest first; `before`: the last one of the page before. */
  episodePage: (before: string | null, limit: number, signal: AbortSignal) =>
    call<readonly Episode[]>(
      `/me/episodes?limit=${String(limit)}${before === null ? "" : `&before=${before}`}`,
      { signed: true, signal },
    ),
  summary: (signal: AbortSignal) => call<Summary>("/me/summary", { signed: true, signal }),
  erase: (word: string) =>
    call<Erased>("/me/erasure", {
      method: "POST",
      body: { word } satisfies Schemas["ErasureRequest"],
      signed: true,
    }),
  ticket: (gameId: string) =>
    call<Schemas["Ticket"]>("/play/tickets", {
      method: "POST",
      body: { game_id: gameId } satisfies Schemas["TicketRequest"],
      signed: true,
    }),
};

/** Compile the emulator while it arrives. */
export const fetchModule = (path: string): Promise<WebAssembly.Module> =>
  WebAssembly.compileStreaming(reach(path, {}).then(good));

/** A file that is only for who is signed in. */
export async function fetchFile(path: string): Promise<Uint8Array> {
  const headers = new Headers({ Authorization: `Bearer ${session.get()?.token ?? ""}` });
  return new Uint8Array(await (await good(await reach(path, { headers }))).arrayBuffer());
}

async function good(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await readProblem(response);
}

/** Address of a game's picture. */
export const coverAddress = (cover: string): string => getEnv().http + cover;

/** Where a download is to be had, by who has its ticket. */
export const downloadAddress = (ticket: ExportTicket): string => getEnv().http + ticket.address;

/** Address of a play socket. */
export const socketAddress = (
  gameId: string,
  ticket: string,
  options: Readonly<Record<string, string>>,
): string => {
  const query = new URLSearchParams({ token: ticket, ...options });
  return `${getEnv().socket}/ws/${encodeURIComponent(gameId)}?${query.toString()}`;
};
