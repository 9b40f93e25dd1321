/**
 * Signing in with Google by plain redirects (OpenID Connect, implicit flow): the page leaves for Google and comes back
 * with an ID token in its address. The Firebase SDK's own ways need a pop-up or a frame of another site and a script of
 * Google's, which a page that is isolated from other sites, as this one is for its clock, can't have.
 */

/** What is remembered while the person is with Google. */
interface Errand {
  state: string;
  nonce: string;
  next: string;
}

/** With what somebody came back. */
export type GoogleAnswer = { idToken: string; next: string } | { problem: string };

const KEY = "skill-arcade.google";
const GOOGLE = "https://accounts.google.com/o/oauth2/v2/auth";
const UNASKED = "This answer of Google's is not to a question of this page. Sign in again.";

/** Whether an address is one that Google sends people back to. */
export const isGoogleAnswer = (hash: string): boolean => {
  const given = new URLSearchParams(hash.slice(1));
  return given.has("state") && (given.has("id_token") || given.has("error"));
};

/** Leaves for Google; `next` is where to go in the end. */
export function goToGoogle(clientId: string, next: string): void {
  const errand: Errand = { state: crypto.randomUUID(), nonce: crypto.randomUUID(), next };
  sessionStorage.setItem(KEY, JSON.stringify(errand));
  location.assign(googleAddress(clientId, `${location.origin}/sign-in`, errand));
}

export function googleAddress(clientId: string, back: string, errand: Errand): string {
  const asked = new URLSearchParams({
    client_id: clientId,
    redirect_uri: back,
    response_type: "id_token",
    scope: "openid email",
    prompt: "select_account",
    state: errand.state,
    nonce: errand.nonce,
  });
  return `${GOOGLE}?${asked.toString()}`;
}

/** Takes what Google answered out of the address and of what was remembered; once only. */
export function takeGoogleAnswer(): GoogleAnswer {
  const kept = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  const answer = readGoogleAnswer(location.hash, kept);
  history.replaceState(history.state, "", location.pathname + location.search);
  return answer;
}

/** Reads an answer; `kept` is what was remembered. An answer that nobody asked for is none. */
export function readGoogleAnswer(hash: string, kept: string | null): GoogleAnswer {
  const given = new URLSearchParams(hash.slice(1));
  const errand = kept === null ? null : (JSON.parse(kept) as Errand);
  if (given.get("state") !== errand?.state) return { problem: UNASKED };
  const idToken = given.get("id_token");
  if (idToken === null) return { problem: "Google did not sign you in. Try again." };
  if (readClaims(idToken).nonce !== errand.nonce) return { problem: UNASKED };
  return { idToken, next: errand.next };
}

/** What a token claims. Nothing rests on it but that it belongs to this visit: the server checks the rest. */
function readClaims(token: string): { nonce?: unknown } {
  const part = token.split(".")[1] ?? "";
  try {
    return JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/"))) as { nonce?: unknown };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return {};
    throw error;
  }
}
