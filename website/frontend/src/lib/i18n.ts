import { setupI18n } from "@lingui/core";
import { type CompiledMessage, compileMessage } from "@lingui/message-utils/compileMessage";

/**
 * Texts and formats in the page's language. The id of a text is the English text, so that English
 * needs no catalogue. `language.ts` changes the language.
 */
export const i18n = setupI18n({ locale: "en", messages: { en: {} } });

const compiled = new Map<string, CompiledMessage>();

// A production build of Lingui compiles no message that is not in a catalogue.
i18n.setMessagesCompiler((message) => {
  const known = compiled.get(message) ?? compileMessage(message);
  compiled.set(message, known);
  return known;
});
