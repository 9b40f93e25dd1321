/**
 * Signing in with Google by plain redirects (OpenID Connect, implicit flow): the page leaves for Google and comes back
 * with an ID token in its address. The Firebase SDK's own ways need a pop-up or a frame of another site and a script of
 * Google's, which a page that is isolated from other sites, as this one is for its clock, can't have.
 */

/** What is remembered while the person is with Google. */
interface PendingSignIn {
  state: string;
  nonce: string;
  next: string;
}

/** With what somebody came back. */
export type GoogleResponse = { idToken: string; next: string } | { problem: string };

const STORAGE_KEY = "skill-arcade.google";
const AUTHORIZATION_ENDPOINT = "https://accounts.google.com/o/oauth2/v2/auth";
const UNEXPECTED_RESPONSE =
  "This answer of Google's is not to a question of this page. Sign in again.";

/** Whether an address is one that Google sends people back to. */
export const isGoogleResponse = (hash: string): boolean => {
  const parameters = new URLSearchParams(hash.slice(1));
  return parameters.has("state") && (parameters.has("id_token") || parameters.has("error"));
};

/** Leaves for Google; `next` is where to go in the end. */
export function redirectToGoogle(clientId: string, next: string): void {
  const pending: PendingSignIn = { state: crypto.randomUUID(), nonce: crypto.randomUUID(), next };
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(pending));
  location.assign(authorizationUrl(clientId, `${location.origin}/sign-in`, pending));
}

export function authorizationUrl(clientId: string, back: string, pending: PendingSignIn): string {
  const parameters = new URLSearchParams({
    client_id: clientId,
    redirect_uri: back,
    response_type: "id_token",
    scope: "openid email",
    prompt: "select_account",
    state: pending.state,
    nonce: pending.nonce,
  });
  return `${AUTHORIZATION_ENDPOINT}?${parameters.toString()}`;
}

/** Takes what Google answered out of the address and of what was remembered; once only. */
export function consumeGoogleResponse(): GoogleResponse {
  const stored = sessionStorage.getItem(STORAGE_KEY);
  sessionStorage.removeItem(STORAGE_KEY);
  const answer = parseGoogleResponse(location.hash, stored);
  history.replaceState(history.state, "", location.pathname + location.search);
  return answer;
}

/** Reads an answer; `kept` is what was remembered. An answer that nobody asked for is none. */
export function parseGoogleResponse(hash: string, stored: string | null): GoogleResponse {
  const parameters = new URLSearchParams(hash.slice(1));
  const pending = stored === null ? null : (JSON.parse(stored) as PendingSignIn);
  if (parameters.get("state") !== pending?.state) return { problem: UNEXPECTED_RESPONSE };
  const idToken = parameters.get("id_token");
  if (idToken === null) return { problem: "Google did not sign you in. Try again." };
  if (readClaims(idToken).nonce !== pending.nonce) return { problem: UNEXPECTED_RESPONSE };
  return { idToken, next: pending.next };
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
