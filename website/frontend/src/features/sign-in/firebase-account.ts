import { api, type FirebaseMethod } from "@/api/client";
import { startSession } from "@/api/session";
import { LocalStorageStore } from "@/lib/local-storage-store";

import type { Firebase } from "./firebase";
import { isGoogleResponse, consumeGoogleResponse } from "./google";

/** To which address a link was mailed, for when it is opened here. */
export const pendingEmail = new LocalStorageStore<string | null>("mailed", (value) =>
  typeof value === "string" ? value : null,
);

/** Whether this browser may remember an account of Firebase's. */
const rememberedAccount = new LocalStorageStore<string | null>("firebase", (value) =>
  typeof value === "string" ? value : null,
);

let firebasePromise: Promise<Firebase> | null = null;

/** Loads and starts the SDK, once. */
export function openFirebase(method: FirebaseMethod): Promise<Firebase> {
  firebasePromise ??= import("./firebase").then(({ Firebase }) => Firebase.open(method));
  return firebasePromise;
}

/** Shows the server who is signed in, and starts the session here. */
export async function startFirebaseSession(firebase: Firebase): Promise<void> {
  rememberedAccount.set("yes");
  startSession(await api.signInByFirebase(await firebase.getIdToken()));
}

let googleSignIn: Promise<string | null> | null = null;

/** Finishes what Google began, if somebody comes back from there; where to go then. Once for each load of the page. */
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

/** Forgets the account in this browser, when somebody signs out. */
export async function forgetAccount(loginMethod: () => Promise<{ method: string }>): Promise<void> {
  if (rememberedAccount.get() === null) return;
  const method = await loginMethod();
  if (method.method === "firebase") await (await openFirebase(method as FirebaseMethod)).signOut();
  rememberedAccount.set(null);
}

/** Closes the account that this browser is signed in with, if it is one of Firebase's. False: that was refused there. */
export async function closeAccount(
  loginMethod: () => Promise<{ method: string }>,
): Promise<boolean> {
  if (rememberedAccount.get() === null) return true;
  const method = await loginMethod();
  rememberedAccount.set(null);
  if (method.method !== "firebase") return true;
  return (await openFirebase(method as FirebaseMethod)).deleteAccount();
}
