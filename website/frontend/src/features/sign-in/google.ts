import { i18n } from "@/lib/i18n";
/**
 * Sign-in with Google by redirects (OpenID Connect, implicit flow): the page leaves for Google and
 * returns with an ID token in its URL. The Firebase SDK needs a pop-up or an iframe and a script of
 * Google, which a cross-origin isolated page cannot use. The page is isolated for its
 * high-resolution clock.
 */

/** State that is stored while the user is at Google. */
interface PendingSignIn {
  state: string;
  nonce: string;
  next: string;
}

/** Result of the redirect. */
export type GoogleResponse = { idToken: string; next: string } | { problem: string };

const STORAGE_KEY = "skill-arcade.google";
const AUTHORIZATION_ENDPOINT = "https://accounts.google.com/o/oauth2/v2/auth";
const UNEXPECTED_RESPONSE =
  /*i18n*/ "The response from Google does not match this sign-in. Sign in again.";

/** Returns whether a URL fragment is a response of Google. */
export const isGoogleResponse = (hash: string): boolean => {
  const parameters = new URLSearchParams(hash.slice(1));
  return parameters.has("state") && (parameters.has("id_token") || parameters.has("error"));
};

/** Redirects to Google. `next` is the path to open after the sign-in. */
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

/** Reads Google's response once and removes it from the URL. */
export function consumeGoogleResponse(): GoogleResponse {
  const stored = sessionStorage.getItem(STORAGE_KEY);
  sessionStorage.removeItem(STORAGE_KEY);
  const answer = parseGoogleResponse(location.hash, stored);
  history.replaceState(history.state, "", location.pathname + location.search);
  return answer;
}

/**
 * Parses a response. `stored` is the pending sign-in; a response without a matching one is
 * rejected.
 */
export function parseGoogleResponse(hash: string, stored: string | null): GoogleResponse {
  const parameters = new URLSearchParams(hash.slice(1));
  const pending = stored === null ? null : (JSON.parse(stored) as PendingSignIn);
  if (parameters.get("state") !== pending?.state) return { problem: i18n._(UNEXPECTED_RESPONSE) };
  const idToken = parameters.get("id_token");
  if (idToken === null)
    return { problem: i18n._("Sign-in with Google failed or was cancelled. Try again.") };
  if (readClaims(idToken).nonce !== pending.nonce) return { problem: i18n._(UNEXPECTED_RESPONSE) };
  return { idToken, next: pending.next };
}

/** Returns the claims of a token. Only the nonce is checked here; the server verifies the token. */
function readClaims(token: string): { nonce?: unknown } {
  const part = token.split(".")[1] ?? "";
  try {
    return JSON.parse(atob(part.replaceAll("-", "+").replaceAll("_", "/"))) as { nonce?: unknown };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return {};
    throw error;
  }
}
