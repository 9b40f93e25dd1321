import { useSyncExternalStore } from "react";

import { LocalStorageStore } from "@/lib/local-storage-store";

import type { components } from "./schema";

/** Who is signed in here, and the token that proves it. */
export interface Session {
  token: string;
  /** null: a guest. */
  email: string | null;
  userId: string;
  expiresAt: string;
  /** What more they may do here; missing in what older pages kept. */
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

/** Keeps what signing in has answered. */
export function startSession(signedIn: components["schemas"]["SignedIn"]): void {
  const { token, email, user_id: userId, expires_at: expiresAt, roles } = signedIn;
  session.set({ token, email, userId, expiresAt, roles });
}

/** Whether they may read everybody's recordings. The server asks their token, whatever is kept here. */
export const isResearcher = (session: Session | null): boolean =>
  session?.roles?.includes("researcher") ?? false;

/** The session, or null when nobody is signed in. */
export const useSession = (): Session | null =>
  useSyncExternalStore(session.subscribe, session.get);
