// Texts are extracted into the catalogues, and the catalogues are compiled into modules, by
// `npm run generate`.
import { defineConfig } from "@lingui/conf";
import { formatter } from "@lingui/format-po";

/** Folder of the catalogues. `npm run generate:check` works on a copy. */
const folder = process.env.LINGUI_CATALOGUES ?? "<rootDir>/src/locales";

/** Texts of the page: each has a translation. */
const page = {
  path: `${folder}/{locale}`,
  include: ["<rootDir>/src"],
  exclude: ["<rootDir>/src/locales/**"],
};
/** Texts of games: one without a translation is shown in English. */
const games = {
  path: `${folder}/games/{locale}`,
  include: ["<rootDir>/src/locales/games/texts.ts"],
};

export default defineConfig({
  sourceLocale: "en",
  locales: ["de"],
  catalogs: [process.env.LINGUI_TEXTS === "games" ? games : page],
  // The English text is the id of a message.
  format: formatter({ explicitIdAsDefault: true, lineNumbers: false }),
  orderBy: "messageId",
  compileNamespace: "ts",
});
