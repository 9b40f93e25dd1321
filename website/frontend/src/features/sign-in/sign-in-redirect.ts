import { isGoogleResponse } from "./google";

/** Returns whether the URL is an e-mailed sign-in link. */
export const isEmailLink = (search: string): boolean => {
  const parameters = new URLSearchParams(search);
  return parameters.get("mode") === "signIn" && parameters.has("oobCode");
};

/** Returns whether the URL completes a pending sign-in. */
export const isSignInRedirect = ({ search, hash }: Location): boolean =>
  isGoogleResponse(hash) || isEmailLink(search);
