import { useSyncExternalStore } from "react";

import { LocalStorageStore } from "@/lib/local-storage-store";

import { api, ApiError, type Preferences } from "./client";
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

/** The copy on this device: whose it is (null: nobody's yet), and whether the account has it too. */
interface CachedPreferences {
  preferences: Preferences;
  userId: string | null;
  isUnsaved: boolean;
}

interface LegacyCache {
  likes?: Preferences;
  unsaved?: boolean;
}

function readCache(value: unknown): CachedPreferences {
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
/** The account has been asked since it signed in here. */
const loadedUserIds = new Set<string>();
const listeners = new Set<() => void>();

/** Like it so from now on. Holds at once; the account gets it as soon as it can be reached. */
export function updatePreferences(change: Partial<Preferences>): void {
  cache.set({
    ...cache.get(),
    preferences: { ...cache.get().preferences, ...change },
    isUnsaved: true,
  });
  enqueue(save);
}

/** Put a game among the favourites, newest first, or take it from them. */
export function setFavourite(gameId: string, isFavourite: boolean): void {
  const others = cache.get().preferences.favourites.filter((id) => id !== gameId);
  updatePreferences({ favourites: isFavourite ? [gameId, ...others] : others });
}

/** How the person likes to play. */
export const usePreferences = (): Preferences =>
  useSyncExternalStore(cache.subscribe, () => cache.get().preferences);

/** False until the account has said what it keeps, or could not be reached. */
export const usePreferencesLoaded = (userId: string): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => loadedUserIds.has(userId),
  );

/** Keep this device's copy and the account's the same, as long as the page lives. */
export function syncWithAccount(): void {
  session.subscribe(() => enqueue(onSessionChange));
  addEventListener("online", () => enqueue(save));
  enqueue(onSessionChange);
}

/** One after the other, so that an older answer never covers a newer wish. */
function enqueue(act: () => Promise<void>): void {
  lastTask = lastTask.then(act).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    // It stays on this device as unsaved, and goes with the next change or visit.
  });
}

/** Somebody has come or gone. What a visitor liked before signing in is theirs; another's is not. */
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
