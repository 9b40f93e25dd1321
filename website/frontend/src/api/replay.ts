import { getEnv } from "@/config/env";

import { fetchEpisodeFile, sendRequest } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Replay = Schemas["Replay"];
export type ReplayGame = Schemas["ReplayGame"];
export type StepColumns = Schemas["StepColumns"];
export type ReplayEvent = Schemas["ReplayEvent"];
export type ReplayCaption = Schemas["ReplayCaption"];
export type FrameInfo = Schemas["FrameInfo"];
export type ShareLink = Schemas["ShareLink"];
export type NewShareLink = Schemas["NewShareLink"];
export type Note = Schemas["NoteItem"];
export type Notes = Schemas["Notes"];
export type NoteRequest = Schemas["NoteRequest"];
export type ClipFormat = Schemas["ClipFormat"];

export const STEPS_PER_PAGE = 20_000;

/** Requests about one episode, by a viewer with a session, with a link that shares it, or both. */
export class ReplayClient {
  readonly episodeId: string;
  readonly shareToken: string | null;
  readonly #path: string;

  constructor(episodeId: string, shareToken: string | null) {
    this.episodeId = episodeId;
    this.shareToken = shareToken;
    this.#path = `/episodes/${encodeURIComponent(episodeId)}`;
  }

  replay = (signal: AbortSignal) => this.#get<Replay>("/replay", signal);
  steps = (first: number, signal: AbortSignal) =>
    this.#get<StepColumns>(
      `/replay/steps?first=${String(first)}&count=${String(STEPS_PER_PAGE)}`,
      signal,
    );
  events = (signal: AbortSignal) =>
    this.#get<Schemas["ReplayEvents"]>("/replay/events", signal).then(({ events }) => events);
  captions = (signal: AbortSignal) =>
    this.#get<Schemas["ReplayCaptions"]>("/replay/captions", signal).then(
      ({ captions }) => captions,
    );
  info = (frame: number, signal: AbortSignal) =>
    this.#get<FrameInfo>(`/replay/info/${String(frame)}`, signal);
  file = (path: string, signal?: AbortSignal) => fetchEpisodeFile(path, this.shareToken, signal);
  /** A clip that the server makes. `end` is the frame after the last one. */
  clip = (format: ClipFormat, first: number, end: number) =>
    this.file(`${this.#path}/clips?format=${format}&first=${String(first)}&end=${String(end)}`);

  shares = (signal: AbortSignal) =>
    sendRequest<readonly ShareLink[]>(`${this.#path}/shares`, { isAuthenticated: true, signal });
  share = () =>
    sendRequest<NewShareLink>(`${this.#path}/shares`, { method: "POST", isAuthenticated: true });
  revokeShare = (id: string) =>
    sendRequest<ShareLink>(`${this.#path}/shares/${id}`, {
      method: "DELETE",
      isAuthenticated: true,
    });

  notes = (signal: AbortSignal) =>
    sendRequest<Notes>(`${this.#path}/notes`, { isAuthenticated: true, signal });
  writeNote = (body: NoteRequest) =>
    sendRequest<Note>(`${this.#path}/notes`, { method: "POST", body, isAuthenticated: true });
  retractNote = (id: string) =>
    sendRequest<Note>(`${this.#path}/notes/${id}/retraction`, {
      method: "POST",
      isAuthenticated: true,
    });

  #get<T>(path: string, signal: AbortSignal): Promise<T> {
    return sendRequest<T>(`${this.#path}${path}`, { shareToken: this.shareToken, signal });
  }
}

/** Returns the URL of a link that shares an episode; `view` are the parameters of the viewer. */
export const shareUrl = ({ address }: NewShareLink, view: string): string =>
  `${getEnv().http}${address}${view}`;
