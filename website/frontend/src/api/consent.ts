import { queryOptions } from "@tanstack/react-query";

import { LocalStorageStore } from "@/lib/local-storage-store";

import { sendRequest } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type ConsentPage = Schemas["ConsentPage"];
export type MyConsent = Schemas["MyConsent"];
export type ConsentScope = Schemas["ConsentScope"]["id"];

/** What players are asked, in a language, or in the owner's first one. */
export const consentPageQuery = (language: string) =>
  queryOptions({
    queryKey: ["consent-page", language],
    queryFn: ({ signal }) =>
      sendRequest<ConsentPage>(`/consent/document?language=${encodeURIComponent(language)}`, {
        signal,
      }),
    staleTime: 60_000,
  });

/** The user's newest answer. No request is sent if `userId` is null. */
export const myConsentQuery = (userId: string | null) =>
  queryOptions({
    queryKey: ["consent", userId],
    queryFn: ({ signal }) =>
      sendRequest<MyConsent>("/me/consent", { isAuthenticated: true, signal }),
    enabled: userId !== null,
    staleTime: 30_000,
  });

export const answerConsent = (body: Schemas["ConsentAnswerRequest"]) =>
  sendRequest<MyConsent>("/me/consent", { method: "POST", body, isAuthenticated: true });

/** Withdraws scopes of everything that was recorded. */
export const withdrawConsent = (scopes: ConsentScope[]) =>
  sendRequest<MyConsent>("/me/consent/withdrawal", {
    method: "POST",
    body: { scopes } satisfies Schemas["WithdrawalRequest"],
    isAuthenticated: true,
  });

/**
 * Remembers on this device that a year of birth did not allow recording. The year is not stored. It
 * outlives the account, so that nobody tries other years with new accounts.
 */
export const ageRefusal = new LocalStorageStore<"refused" | null>("age", (value) =>
  value === "refused" ? value : null,
);
