import { api, type FirebaseMethod } from "@/api/client";
import { startSession } from "@/api/session";
import { Stored } from "@/lib/stored";

import type { Firebase } from "./firebase";
import { isGoogleAnswer, takeGoogleAnswer } from "./google";

/** To which address a link was mailed, for when it is opened here. */
export const mailed = new Stored<string | null>("mailed", (value) =>
  typeof value === "string" ? value : null,
);

/** Whether this browser may remember an account of Firebase's. */
const remembers = new Stored<string | null>("firebase", (value) =>
  typeof value === "string" ? value : null,
);

let opened: Promise<Firebase> | null = null;

/** Loads and starts the SDK, once. */
export function openFirebase(method: FirebaseMethod): Promise<Firebase> {
  opened ??= import("./firebase").then(({ Firebase }) => Firebase.open(method));
  return opened;
}

/** Shows the server who is signed in, and starts the session here. */
export async function startFirebaseSession(firebase: Firebase): Promise<void> {
  remembers.set("yes");
  startSession(await api.signInByFirebase(await firebase.token()));
}

let finished: Promise<string | null> | null = null;

/** Finishes what Google began, if somebody comes back from there; where to go then. Once for each load of the page. */
export function finishGoogle(firebase: Firebase): Promise<string | null> {
  finished ??= isGoogleAnswer(location.hash) ? enter(firebase) : Promise.resolve(null);
  return finished;
}

async function enter(firebase: Firebase): Promise<string> {
  const answer = takeGoogleAnswer();
  if ("problem" in answer) throw new Error(answer.problem);
  await firebase.enterByGoogle(answer.idToken);
  await startFirebaseSession(firebase);
  return answer.next;
}

/** Forgets the account in this browser, when somebody signs out. */
export async function forgetAccount(loginMethod: () => Promise<{ method: string }>): Promise<void> {
  if (remembers.get() === null) return;
  const method = await loginMethod();
  if (method.method === "firebase") await (await openFirebase(method as FirebaseMethod)).leave();
  remembers.set(null);
}

/** Closes the account that this browser is signed in with, if it is one of Firebase's. False: that was refused there. */
export async function closeAccount(
  loginMethod: () => Promise<{ method: string }>,
): Promise<boolean> {
  if (remembers.get() === null) return true;
  const method = await loginMethod();
  remembers.set(null);
  if (method.method !== "firebase") return true;
  return (await openFirebase(method as FirebaseMethod)).close();
}
