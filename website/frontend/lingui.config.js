// Texts are extracted into the catalogues, and the catalogues are compiled into modules, by
// `npm run generate`.
import { defineConfig } from "@lingui/conf";
import { formatter } from "@lingui/format-po";

/** Folder of the catalogues. `npm run generate:check` works on a copy. */
const folder = process.env.LINGUI_CATALOGUES ?? "<rootDir>/src/locales";

export default defineConfig({
  sourceLocale: "en",
  locales: ["de"],
  catalogs: [{ path: `${folder}/{locale}`, include: ["<rootDir>/src"] }],
  // The English text is the id of a message.
  format: formatter({ explicitIdAsDefault: true, lineNumbers: false }),
  orderBy: "messageId",
  compileNamespace: "ts",
});
