import type { Messages } from "@lingui/core";

/** Texts of games in the page's language, by the English text. Names of games are not translated. */
let translations: Messages = {};

/** Sets the texts of games. `language.ts` does it with the page's language. */
export function activateGameTexts(messages: Messages): void {
  translations = messages;
}

const findTranslation = (text: string): string | null => {
  const message = translations[text];
  // Texts of games have no placeholders.
  return message === undefined ? null : String(message);
};

/** Returns a summary or a label of a game in the page's language, or as it is if there is none. */
export function translateGameText(text: string): string {
  const whole = findTranslation(text);
  if (whole !== null) return whole;
  const sentences = text.split(/(?<=[.!?]) /).map(findTranslation);
  return sentences.every((sentence) => sentence !== null) ? sentences.join(" ") : text;
}
