import { LocalStorageStore } from "@/lib/local-storage-store";

import { sendRequest } from "./client";
import type { components } from "./schema";
import { session } from "./session";

type Schemas = components["schemas"];
export type JoinedStudy = Schemas["JoinedStudy"];
export type StudyPage = Schemas["StudyPage"];
export type StudyStage = NonNullable<StudyPage["stage"]>;
export type StudyConsent = Schemas["StudyConsent"];
export type StudyScreening = Schemas["StudyScreening"];
export type StudyInstructions = Schemas["StudyInstructions"];
export type StudyGames = Schemas["StudyGames"];
export type StudyQuestionnaire = Schemas["StudyQuestionnaire"];
export type StudyReturn = Schemas["StudyReturn"];
export type StudyCompletion = Schemas["StudyCompletion"];
export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
/** What a participant did in a stage. */
export type StageData = Readonly<Record<string, Json>>;

/** Tokens of the participant's own links, by the name of the study. */
export const ownLinks = new LocalStorageStore<Readonly<Record<string, string>>>(
  "studies",
  (value) =>
    typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value).filter(
            (entry): entry is [string, string] => typeof entry[1] === "string",
          ),
        )
      : {},
);

const inLanguage = (path: string, language: string) =>
  `${path}?language=${encodeURIComponent(language)}`;

/** Begins or continues a participation, and signs the participant in. */
export async function joinStudy(
  study: string,
  query: Record<string, string>,
  resume: string | null,
  language: string,
): Promise<JoinedStudy> {
  const joined = await sendRequest<JoinedStudy>(inLanguage("/studies/participants", language), {
    method: "POST",
    body: { study, query, resume } satisfies Schemas["JoinStudyRequest"],
  });
  const { token, user_id: userId, expires_at: expiresAt } = joined;
  session.set({ token, email: null, userId, expiresAt, roles: [] });
  if (joined.resume !== null) ownLinks.set({ ...ownLinks.get(), [study]: joined.resume });
  return joined;
}

export const readStudy = (language: string) =>
  sendRequest<StudyPage>(inLanguage("/studies/me", language), { isAuthenticated: true });

export const answerStage = (stage: string, data: StageData, language: string) =>
  sendRequest<StudyPage>(inLanguage("/studies/me/answers", language), {
    method: "POST",
    body: { stage, data } satisfies Schemas["StageAnswer"],
    isAuthenticated: true,
  });

export const trialTicket = () =>
  sendRequest<Schemas["Ticket"]>("/studies/me/tickets", { method: "POST", isAuthenticated: true });

/** Deletes everything of the participant, and signs them out. */
export async function withdrawFromStudy(study: string): Promise<void> {
  await sendRequest("/studies/me/withdrawal", { method: "POST", isAuthenticated: true });
  forgetOwnLink(study);
  session.set(null);
}

/** Forgets the participant's own link to a study. */
export function forgetOwnLink(study: string): void {
  ownLinks.set(Object.fromEntries(Object.entries(ownLinks.get()).filter(([one]) => one !== study)));
}

/** Returns the median round trip of 10 requests in milliseconds, or null if one fails. */
export async function measureRoundTrip(): Promise<number | null> {
  const times: number[] = [];
  try {
    for (let count = 0; count < 10; count++) {
      const since = performance.now();
      await sendRequest("/health/live");
      times.push(performance.now() - since);
    }
  } catch {
    return null;
  }
  times.sort((a, b) => a - b);
  return Math.round(((times[4] ?? 0) + (times[5] ?? 0)) * 5) / 10;
}
