import { useSyncExternalStore } from "react";

import { Stored } from "@/lib/stored";

import { api, ApiError, type Preferences } from "./client";
import { session } from "./session";

const NEW: Preferences = {
  keys: {},
  hand: "right",
  haptics: true,
  sound: false,
  volume: 70,
  gauge: true,
  favourites: [],
  options: {},
};

/** The copy on this device: whose it is (null: nobody's yet), and whether the account has it too. */
interface Copy {
  likes: Preferences;
  userId: string | null;
  unsaved: boolean;
}

function readCopy(value: unknown): Copy {
  const empty = { likes: NEW, userId: null, unsaved: false };
  if (typeof value !== "object" || value === null || !("likes" in value)) return empty;
  const copy = value as Partial<Copy>;
  // What an earlier version of this page kept may have what nobody asks for any more.
  const known = Object.entries(copy.likes ?? {}).filter(([name]) => name in NEW);
  return { ...empty, ...copy, likes: { ...NEW, ...Object.fromEntries(known) } };
}

const copy = new Stored<Copy>("preferences", readCopy);
let busy: Promise<void> = Promise.resolve();
/** The account has been asked since it signed in here. */
const asked = new Set<string>();
const listeners = new Set<() => void>();

/** Like it so from now on. Holds at once; the account gets it as soon as it can be reached. */
export function prefer(change: Partial<Preferences>): void {
  copy.set({ ...copy.get(), likes: { ...copy.get().likes, ...change }, unsaved: true });
  queue(save);
}

/** Put a game among the favourites, newest first, or take it from them. */
export function likeGame(gameId: string, liked: boolean): void {
  const others = copy.get().likes.favourites.filter((id) => id !== gameId);
  prefer({ favourites: liked ? [gameId, ...others] : others });
}

/** How the person likes to play. */
export const usePreferences = (): Preferences =>
  useSyncExternalStore(copy.subscribe, () => copy.get().likes);

/** False until the account has said what it keeps, or could not be reached. */
export const usePreferencesKnown = (userId: string): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => asked.has(userId),
  );

/** Keep this device's copy and the account's the same, as long as the page lives. */
export function followAccount(): void {
  session.subscribe(() => queue(meet));
  addEventListener("online", () => queue(save));
  queue(meet);
}

/** One after the other, so that an older answer never covers a newer wish. */
function queue(act: () => Promise<void>): void {
  busy = busy.then(act).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    // It stays on this device as unsaved, and goes with the next change or visit.
  });
}

/** Somebody has come or gone. What a visitor liked before signing in is theirs; another's is not. */
async function meet(): Promise<void> {
  const userId = session.get()?.userId ?? null;
  const { userId: before } = copy.get();
  if (before !== null && userId === null) copy.forget();
  else if (before !== null && before !== userId) {
    copy.set({ likes: NEW, userId, unsaved: false });
  } else if (before !== userId) copy.set({ ...copy.get(), userId });
  if (userId === null || asked.has(userId)) return;
  try {
    await load(userId);
  } finally {
    asked.add(userId);
    for (const listener of listeners) listener();
  }
}

async function load(userId: string): Promise<void> {
  const kept = await api.preferences();
  const here = copy.get();
  if (here.userId !== userId) return;
  if (here.unsaved && kept !== null) {
    const favourites = [...new Set([...kept.favourites, ...here.likes.favourites])];
    copy.set({ ...here, likes: { ...kept, ...here.likes, favourites } });
  } else if (kept !== null) copy.set({ ...here, likes: kept });
  await save();
}

async function save(): Promise<void> {
  const { likes, userId, unsaved } = copy.get();
  if (!unsaved || userId === null || session.get() === null) return;
  await api.keepPreferences(likes);
  if (copy.get().likes === likes) copy.set({ ...copy.get(), unsaved: false });
}
