import { SPEEDS } from "@/play/replay/replay-player";
import { SYNC_MODES, type SyncMode } from "@/play/replay/synchronize";

/** What the address of a replay says: always frames, never seconds. */
export interface ReplayView {
  frame: number;
  /** Last frame of the range that loops; null if there is none. */
  end: number | null;
  speed: number;
  /** Episode beside this one. */
  versus: string | null;
  sync: SyncMode;
}

export const DEFAULT_VIEW: ReplayView = {
  frame: 0,
  end: null,
  speed: 1,
  versus: null,
  sync: "step",
};

const EPISODE_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Parses `?f=1234-1534&speed=0.25&vs=EPISODE&sync=time`. Ignores what is invalid. */
export function parseView(search: string): ReplayView {
  const query = new URLSearchParams(search);
  const [, first = "0", last] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(query.get("f") ?? "") ?? [];
  const frame = Number(first);
  const end = last !== undefined && Number(last) > frame ? Number(last) : null;
  const speed = SPEEDS.find((one) => one === Number(query.get("speed"))) ?? 1;
  const versus = query.get("vs") ?? "";
  const sync = SYNC_MODES.find((mode) => mode === query.get("sync")) ?? "step";
  return { frame, end, speed, versus: EPISODE_ID.test(versus) ? versus : null, sync };
}

/** Returns the query of a view, with `?`. Defaults are left out. */
export function formatView({ frame, end, speed, versus, sync }: ReplayView): string {
  const query = new URLSearchParams();
  if (frame > 0 || end !== null) {
    query.set("f", end === null ? String(frame) : `${String(frame)}-${String(end)}`);
  }
  if (speed !== 1) query.set("speed", String(speed));
  if (versus !== null) {
    query.set("vs", versus);
    if (sync !== "step") query.set("sync", sync);
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

/** Tokens of links, from the fragment: `#share=TOKEN` and, for the episode beside it, `vs-share`. */
export function parseTokens(hash: string): { share: string | null; versusShare: string | null } {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  return { share: fields.get("share"), versusShare: fields.get("vs-share") };
}

/** Reads an episode and, if it is there, the token from the address of a replay or from an id. */
export function parseReplayLink(text: string): { episode: string; share: string | null } | null {
  const trimmed = text.trim();
  if (EPISODE_ID.test(trimmed)) return { episode: trimmed.toLowerCase(), share: null };
  if (!URL.canParse(trimmed)) return null;
  const { pathname, hash } = new URL(trimmed);
  const episode = /\/replay\/([^/]+)$/.exec(pathname)?.[1] ?? "";
  if (!EPISODE_ID.test(episode)) return null;
  return { episode: episode.toLowerCase(), share: parseTokens(hash).share };
}
