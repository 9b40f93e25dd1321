import { useSyncExternalStore } from "react";

import { idsOf } from "@/lib/game-ids";
import { LocalStorageStore } from "@/lib/local-storage-store";

import { api, ApiError, type Game, type Preferences } from "./client";
import { session } from "./session";

const DEFAULT_PREFERENCES: Preferences = {
  keys: {},
  hand: "right",
  haptics: true,
  sound: false,
  volume: 70,
  gauge: true,
  favourites: [],
  options: {},
};

/**
 * Copy of the preferences on this device. `userId` is null before the first sign-in. `isUnsaved` is
 * true if the account does not have it yet.
 */
export interface CachedPreferences {
  preferences: Preferences;
  userId: string | null;
  isUnsaved: boolean;
}

interface LegacyCache {
  likes?: Preferences;
  unsaved?: boolean;
}

/** Reads the stored copy, also one written by an earlier version. */
export function readCache(value: unknown): CachedPreferences {
  const empty = { preferences: DEFAULT_PREFERENCES, userId: null, isUnsaved: false };
  if (typeof value !== "object" || value === null) return empty;
  // Earlier versions stored the same fields as `likes` and `unsaved`.
  const { likes, unsaved, ...stored } = value as Partial<CachedPreferences> & LegacyCache;
  const saved = stored.preferences ?? likes;
  if (saved === undefined) return empty;
  // Earlier versions may have stored preferences that no longer exist.
  const known = Object.entries(saved).filter(([name]) => name in DEFAULT_PREFERENCES);
  return {
    userId: stored.userId ?? null,
    isUnsaved: stored.isUnsaved ?? unsaved ?? false,
    preferences: { ...DEFAULT_PREFERENCES, ...Object.fromEntries(known) },
  };
}

const cache = new LocalStorageStore<CachedPreferences>("preferences", readCache);
let lastTask: Promise<void> = Promise.resolve();
/** Users whose preferences were requested since they signed in. */
const loadedUserIds = new Set<string>();
const listeners = new Set<() => void>();

/** Changes preferences immediately and saves them to the account as soon as possible. */
export function updatePreferences(change: Partial<Preferences>): void {
  cache.set({
    ...cache.get(),
    preferences: { ...cache.get().preferences, ...change },
    isUnsaved: true,
  });
  enqueue(save);
}

/** Adds a game to the favourites, or removes it, also where it is one under a former id. */
export function setFavourite(game: Pick<Game, "id" | "aliases">, isFavourite: boolean): void {
  const ids = idsOf(game);
  const others = cache.get().preferences.favourites.filter((id) => !ids.includes(id));
  updatePreferences({ favourites: isFavourite ? [game.id, ...others] : others });
}

/** Returns the player's preferences. */
export const usePreferences = (): Preferences =>
  useSyncExternalStore(cache.subscribe, () => cache.get().preferences);

/** Returns false until the account's preferences are loaded or the request failed. */
export const usePreferencesLoaded = (userId: string): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => loadedUserIds.has(userId),
  );

/** Keeps the preferences on this device and in the account in sync while the page is open. */
export function syncWithAccount(): void {
  session.subscribe(() => enqueue(onSessionChange));
  addEventListener("online", () => enqueue(save));
  enqueue(onSessionChange);
}

/** Runs tasks one after the other, so that an older response never overwrites a newer change. */
function enqueue(act: () => Promise<void>): void {
  lastTask = lastTask.then(act).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    // It stays unsaved on this device and is saved with the next change or visit.
  });
}

/**
 * Handles a change of the session. Preferences from before the first sign-in are kept; those of
 * another user are not.
 */
async function onSessionChange(): Promise<void> {
  const userId = session.get()?.userId ?? null;
  const { userId: before } = cache.get();
  if (before !== null && userId === null) cache.clear();
  else if (before !== null && before !== userId) {
    cache.set({ preferences: DEFAULT_PREFERENCES, userId, isUnsaved: false });
  } else if (before !== userId) cache.set({ ...cache.get(), userId });
  if (userId === null || loadedUserIds.has(userId)) return;
  try {
    await load(userId);
  } finally {
    loadedUserIds.add(userId);
    for (const listener of listeners) listener();
  }
}

async function load(userId: string): Promise<void> {
  const saved = await api.preferences();
  const cached = cache.get();
  if (cached.userId !== userId) return;
  if (cached.isUnsaved && saved !== null) {
    const favourites = [...new Set([...saved.favourites, ...cached.preferences.favourites])];
    cache.set({ ...cached, preferences: { ...saved, ...cached.preferences, favourites } });
  } else if (saved !== null) cache.set({ ...cached, preferences: saved });
  await save();
}

async function save(): Promise<void> {
  const { preferences, userId, isUnsaved } = cache.get();
  if (!isUnsaved || userId === null || session.get() === null) return;
  await api.savePreferences(preferences);
  if (cache.get().preferences === preferences) cache.set({ ...cache.get(), isUnsaved: false });
}
