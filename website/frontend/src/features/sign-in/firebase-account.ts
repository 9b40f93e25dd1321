import { api, type FirebaseMethod } from "@/api/client";
import { startSession } from "@/api/session";
import { LocalStorageStore } from "@/lib/local-storage-store";

import type { Firebase } from "./firebase";
import { isGoogleResponse, consumeGoogleResponse } from "./google";

/** Address to which a sign-in link was sent, for when the link is opened. */
export const pendingEmail = new LocalStorageStore<string | null>("mailed", (value) =>
  typeof value === "string" ? value : null,
);

/** Set if this browser may hold a Firebase account. */
const rememberedAccount = new LocalStorageStore<string | null>("firebase", (value) =>
  typeof value === "string" ? value : null,
);

let firebasePromise: Promise<Firebase> | null = null;

/** Loads and starts the SDK once. */
export function openFirebase(method: FirebaseMethod): Promise<Firebase> {
  firebasePromise ??= import("./firebase").then(({ Firebase }) => Firebase.open(method));
  return firebasePromise;
}

/** Exchanges the Firebase ID token for a session of the server. */
export async function startFirebaseSession(firebase: Firebase): Promise<void> {
  rememberedAccount.set("yes");
  startSession(await api.signInByFirebase(await firebase.getIdToken()));
}

let googleSignIn: Promise<string | null> | null = null;

/**
 * Completes a Google sign-in if the page was opened by Google's redirect. Returns the path to open
 * next. Runs once per page load.
 */
export function finishGoogleSignIn(firebase: Firebase): Promise<string | null> {
  googleSignIn ??= isGoogleResponse(location.hash)
    ? completeGoogleSignIn(firebase)
    : Promise.resolve(null);
  return googleSignIn;
}

async function completeGoogleSignIn(firebase: Firebase): Promise<string> {
  const answer = consumeGoogleResponse();
  if ("problem" in answer) throw new Error(answer.problem);
  await firebase.signInWithGoogle(answer.idToken);
  await startFirebaseSession(firebase);
  return answer.next;
}

/** Signs out of Firebase in this browser. */
export async function forgetAccount(loginMethod: () => Promise<{ method: string }>): Promise<void> {
  if (rememberedAccount.get() === null) return;
  const method = await loginMethod();
  if (method.method === "firebase") await (await openFirebase(method as FirebaseMethod)).signOut();
  rememberedAccount.set(null);
}

/** Returns the ID token of this browser's Firebase account; null if there is none. */
export async function currentIdToken(
  loginMethod: () => Promise<{ method: string }>,
): Promise<string | null> {
  if (rememberedAccount.get() === null) return null;
  const method = await loginMethod();
  if (method.method !== "firebase") return null;
  return (await openFirebase(method as FirebaseMethod)).getIdToken();
}

/**
 * Signs out of the Firebase account of this browser, if there is one, and deletes it unless the
 * server has. Returns false if Firebase refuses.
 */
export async function closeAccount(
  loginMethod: () => Promise<{ method: string }>,
  isDeleted: boolean,
): Promise<boolean> {
  if (rememberedAccount.get() === null) return true;
  const method = await loginMethod();
  rememberedAccount.set(null);
  if (method.method !== "firebase") return true;
  const firebase = await openFirebase(method as FirebaseMethod);
  if (!isDeleted) return firebase.deleteAccount();
  await firebase.signOut();
  return true;
}
