import { isGoogleAnswer } from "./google";

/** Whether a link of an e-mail leads to this address. */
export const isMailLink = (search: string): boolean => {
  const given = new URLSearchParams(search);
  return given.get("mode") === "signIn" && given.has("oobCode");
};

/** Whether somebody comes to this address in the middle of signing in. */
export const isReturning = ({ search, hash }: Location): boolean =>
  isGoogleAnswer(hash) || isMailLink(search);
