import type { Messages } from "@lingui/core";
import { useEffect, useState } from "react";

import { i18n } from "./i18n";

/** Languages of the page, with the direction of their script and their catalogue. */
const LANGUAGES = {
  en: { direction: "ltr", load: null },
  de: { direction: "ltr", load: () => import("@/locales/de") },
} as const satisfies Record<
  string,
  { direction: "ltr" | "rtl"; load: (() => Promise<{ messages: Messages }>) | null }
>;

type Language = keyof typeof LANGUAGES;
const DEFAULT_LANGUAGE: Language = "en";

/** Session storage lasts as long as the visit. */
const STORAGE_KEY = "skill-arcade.language";

const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag);
const primarySubtag = (tag: string): string => tag.split("-")[0]?.toLowerCase() ?? "";

/** Returns the language tag that was chosen earlier on this visit, or null. */
function loadChosenTag(): string | null {
  try {
    return sessionStorage.getItem(STORAGE_KEY);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

let chosenTag = loadChosenTag();

/** Tags of the languages that the user wants, the most wanted first. The page may have none. */
const readWantedTags = (): readonly string[] =>
  chosenTag === null ? navigator.languages : [chosenTag, ...navigator.languages];

/** Returns the tag of the language that the user wants most, such as "de-AT". */
export const readWantedTag = (): string => readWantedTags()[0] ?? DEFAULT_LANGUAGE;

/** Returns the first wanted language that the page has. */
const findLanguage = (tags: readonly string[]): Language =>
  tags.map(primarySubtag).find(isLanguage) ?? DEFAULT_LANGUAGE;

let latestActivation = 0;

/** Shows the page in a language. `regions` are tags whose region numbers and dates follow. */
async function activateLanguage(language: Language, regions: readonly string[]): Promise<void> {
  const activation = ++latestActivation;
  const { direction, load } = LANGUAGES[language];
  if (load !== null) {
    const { messages } = await load();
    if (activation !== latestActivation) return;
    i18n.load(language, messages);
  }
  i18n.activate(language, [...regions, language]);
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
}

/** Shows the page in the wanted language, or as it is if the catalogue cannot be loaded. */
async function activateWantedLanguage(): Promise<void> {
  const language = findLanguage(readWantedTags());
  // The tags of the browser have a region more often than the one that was chosen.
  const regions = navigator.languages.filter((tag) => primarySubtag(tag) === language);
  try {
    await activateLanguage(language, regions);
  } catch (error) {
    console.warn("Cannot load the catalogue of the page's language.", error);
  }
}

/** Chooses a language for the rest of the visit. */
export async function chooseLanguage(tag: string): Promise<void> {
  chosenTag = tag;
  try {
    sessionStorage.setItem(STORAGE_KEY, tag);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
  await activateWantedLanguage();
}

/**
 * Shows the page in the wanted language while the component is mounted, and in English afterwards.
 * Returns whether the texts are loaded.
 */
export function useWantedLanguage(): boolean {
  const [isLoaded, setLoaded] = useState(() => findLanguage(readWantedTags()) === i18n.locale);
  useEffect(() => {
    const effect = { isCurrent: true };
    void activateWantedLanguage().then(() => {
      if (effect.isCurrent) setLoaded(true);
    });
    return () => {
      effect.isCurrent = false;
      void activateLanguage(DEFAULT_LANGUAGE, []);
    };
  }, []);
  return isLoaded;
}
