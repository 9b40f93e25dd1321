import { isGoogleResponse } from "./google";

/** Whether a link of an e-mail leads to this address. */
export const isEmailLink = (search: string): boolean => {
  const parameters = new URLSearchParams(search);
  return parameters.get("mode") === "signIn" && parameters.has("oobCode");
};

/** Whether somebody comes to this address in the middle of signing in. */
export const isSignInRedirect = ({ search, hash }: Location): boolean =>
  isGoogleResponse(hash) || isEmailLink(search);
