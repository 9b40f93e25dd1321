// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";

import { authorizationUrl, isGoogleResponse, parseGoogleResponse } from "@/features/sign-in/google";
import { isSignInRedirect } from "@/features/sign-in/sign-in-redirect";

const errand = { state: "state-1", nonce: "nonce-1", next: "/play/pong" };
const kept = JSON.stringify(errand);

const makeToken = (claims: object): string => {
  const text = btoa(JSON.stringify(claims)).replaceAll("+", "-").replaceAll("/", "_");
  return `e30.${text.replaceAll("=", "")}.x`;
};
const answer = (changes: Record<string, string> = {}): string => {
  const given = { state: "state-1", id_token: makeToken({ nonce: "nonce-1", name: "Ä?>" }) };
  return `#${new URLSearchParams({ ...given, ...changes }).toString()}`;
};

beforeEach(() => sessionStorage.clear());

describe("Google sign-in redirect", () => {
  it("Google sign-in redirect requests an ID token with a nonce and only the e-mail scope", () => {
    const address = new URL(authorizationUrl("client-1", "https://arcade.web.app/sign-in", errand));
    expect(address.origin + address.pathname).toBe("https://accounts.google.com/o/oauth2/v2/auth");
    expect(Object.fromEntries(address.searchParams)).toEqual({
      client_id: "client-1",
      redirect_uri: "https://arcade.web.app/sign-in",
      response_type: "id_token",
      scope: "openid email",
      prompt: "select_account",
      state: "state-1",
      nonce: "nonce-1",
    });
  });
});

describe("Google sign-in response", () => {
  it("Google sign-in response with a token returns the token and the destination", () => {
    expect(parseGoogleResponse(answer(), kept)).toEqual({
      idToken: new URLSearchParams(answer().slice(1)).get("id_token"),
      next: "/play/pong",
    });
  });

  it.each([
    ["another state", answer({ state: "state-2" }), kept],
    ["no errand", answer(), null],
    ["another visit's token", answer({ id_token: makeToken({ nonce: "nonce-2" }) }), kept],
    ["a token without a nonce", answer({ id_token: makeToken({}) }), kept],
    ["no token at all", answer({ id_token: "nonsense" }), kept],
  ])("Google sign-in response with %s is rejected", (_, hash, remembered) => {
    expect(parseGoogleResponse(hash, remembered)).toEqual({
      problem: expect.any(String) as string,
    });
  });

  it("Google sign-in response with an error reports it", () => {
    expect(parseGoogleResponse("#state=state-1&error=access_denied", kept)).toEqual({
      problem: expect.any(String) as string,
    });
  });

  it.each([
    ["", "#state=a&id_token=b", true],
    ["", "#state=a&error=access_denied", true],
    ["?mode=signIn&oobCode=abc&next=%2F", "", true],
    ["?next=%2Fyou", "", false],
    ["", "#main", false],
  ])("Google sign-in response is recognized by its address %s%s", (search, hash, returning) => {
    expect(isSignInRedirect({ search, hash } as Location)).toBe(returning);
    expect(isGoogleResponse(hash)).toBe(returning && search === "");
  });
});
