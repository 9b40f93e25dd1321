import { Linter } from "eslint";
import tseslint from "typescript-eslint";
import { expect, test } from "vitest";

import { texts } from "../../scripts/eslint-texts.js";

/** Returns the number of texts that the rule finds untranslated. */
function countFaults(code: string): number {
  const found = new Linter().verify(
    code,
    {
      files: ["**/*.tsx"],
      languageOptions: {
        parser: tseslint.parser,
        parserOptions: { ecmaFeatures: { jsx: true } },
      },
      plugins: { texts },
      rules: { "texts/translated": "error" },
    },
    "code.tsx",
  );
  expect(found.filter(({ fatal }) => fatal)).toEqual([]);
  return found.length;
}

test.each([
  "const a = <p>No games</p>;",
  "const a = <p>{count} games</p>;",
  'const a = <p>{isOpen ? "open" : "closed"}</p>;',
  'const a = <p title="Full screen" />;',
  "const a = <p aria-label={`Replay of ${name}`} />;",
  'const NAMES = { won: "Won" };',
  'setStatus("The link was copied.");',
  'throw new ApiError("The server does not respond.", 0, "Unreachable");',
])("untranslated text in %s is found", (code) => {
  expect(countFaults(code)).toBeGreaterThan(0);
});

test.each([
  'const a = <p>{i18n._("No games")}</p>;',
  'const a = <Trans id="Type <0>{word}</0>" values={{ word }} />;',
  'const NAMES = { won: /*i18n*/ "Won" };',
  'const a = <p className="flex gap-2" data-testid="score">{"–"}</p>;',
  "const a = <code>skill-arcade games</code>;",
  'throw new Error("A mistake in the code.");',
  'if (key === "Escape") close();',
])("text in %s is accepted", (code) => {
  expect(countFaults(code)).toBe(0);
});
