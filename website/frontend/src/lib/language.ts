import type { Messages } from "@lingui/core";

import { activateGameTexts } from "./game-texts";
import { i18n } from "./i18n";

/** Languages of the page: name in the language itself, direction of the script, catalogue. */
const LANGUAGES = {
  en: { name: "English", direction: "ltr", load: null },
  de: {
    name: "Deutsch",
    direction: "ltr",
    load: () => Promise.all([import("@/locales/de"), import("@/locales/games/de")]),
  },
} as const satisfies Record<
  string,
  {
    name: string;
    direction: "ltr" | "rtl";
    /** Loads the catalogues of the page and of the games. */
    load: (() => Promise<readonly [{ messages: Messages }, { messages: Messages }]>) | null;
  }
>;

type Language = keyof typeof LANGUAGES;
const DEFAULT_LANGUAGE: Language = "en";

/** Tags and names of the languages of the page, for a chooser. */
export const LANGUAGE_NAMES: readonly (readonly [tag: string, name: string])[] = Object.entries(
  LANGUAGES,
).map(([tag, { name }]) => [tag, name]);

const STORAGE_KEY = "skill-arcade.language";

const isLanguage = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag);
const primarySubtag = (tag: string): string => tag.split("-")[0]?.toLowerCase() ?? "";

/**
 * Where a choice is stored: `visit` lasts until the tab is closed, `device` until the next choice.
 * A choice of the visit comes before one of the device.
 */
type Lifetime = "visit" | "device";

/** Reading the property fails where storage is blocked. */
const storageOf = (lifetime: Lifetime): Storage =>
  lifetime === "visit" ? sessionStorage : localStorage;

/** Returns the tag that was chosen earlier, or null. */
function loadChosenTag(lifetime: Lifetime): string | null {
  try {
    return storageOf(lifetime).getItem(STORAGE_KEY);
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

function storeChosenTag(lifetime: Lifetime, tag: string): void {
  try {
    storageOf(lifetime).setItem(STORAGE_KEY, tag);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}

let chosenTag = loadChosenTag("visit") ?? loadChosenTag("device");

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
    const [page, games] = await load();
    if (activation !== latestActivation) return;
    i18n.load(language, page.messages);
    activateGameTexts(games.messages);
  } else activateGameTexts({});
  i18n.activate(language, [...regions, language]);
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
}

/** Shows the page in the wanted language, or as it is if the catalogue cannot be loaded. */
export async function activateWantedLanguage(): Promise<void> {
  const language = findLanguage(readWantedTags());
  // The tags of the browser have a region more often than the one that was chosen.
  const regions = navigator.languages.filter((tag) => primarySubtag(tag) === language);
  try {
    await activateLanguage(language, regions);
  } catch (error) {
    console.warn("Cannot load the catalogue of the page's language.", error);
  }
}

/** Chooses a language, for the rest of the visit or for this device. */
export async function chooseLanguage(tag: string, lifetime: Lifetime = "visit"): Promise<void> {
  chosenTag = tag;
  storeChosenTag("visit", tag);
  if (lifetime === "device") storeChosenTag("device", tag);
  await activateWantedLanguage();
}
