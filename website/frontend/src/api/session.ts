import { useSyncExternalStore } from "react";

import { LocalStorageStore } from "@/lib/local-storage-store";

import type { components } from "./schema";

/** The signed-in user and their token. */
export interface Session {
  token: string;
  /** null for a guest. */
  email: string | null;
  userId: string;
  expiresAt: string;
  /** Additional roles; missing in sessions stored by earlier versions. */
  roles?: readonly string[];
}

function readSession(value: unknown): Session | null {
  if (typeof value !== "object" || value === null) return null;
  const { token, email, userId, expiresAt } = value as Record<string, unknown>;
  const texts = [token, email ?? "", userId, expiresAt];
  if (!texts.every((text) => typeof text === "string")) return null;
  const session = value as Session;
  return Date.parse(session.expiresAt) > Date.now() ? session : null;
}

export const session = new LocalStorageStore<Session | null>("session", readSession);

/** Stores the session after sign-in. */
export function startSession(signedIn: components["schemas"]["LoginResult"]): void {
  const { token, email, user_id: userId, expires_at: expiresAt, roles } = signedIn;
  session.set({ token, email, userId, expiresAt, roles });
}

/** Returns whether the user may read all recordings. The server checks this independently. */
export const isResearcher = (session: Session | null): boolean =>
  session?.roles?.includes("researcher") ?? false;

/** Returns the session, or null if nobody is signed in. */
export const useSession = (): Session | null =>
  useSyncExternalStore(session.subscribe, session.get);
