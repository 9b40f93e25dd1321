import { readdirSync } from "node:fs";

import js from "@eslint/js";
import checkFile from "eslint-plugin-check-file";
import importX, { createNodeResolver } from "eslint-plugin-import-x";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import jsxA11y from "eslint-plugin-jsx-a11y";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import tseslint from "typescript-eslint";

import { texts } from "./scripts/eslint-texts.js";

const features = readdirSync(new URL("./src/features", import.meta.url));

/** Shared code must not import from features, and features must not import from app. */
const zones = [
  {
    target: "./src/!(app|features|main.tsx)/**",
    from: ["./src/features", "./src/app"],
    message: "Shared code knows neither features nor the app.",
  },
  { target: "./src/features", from: "./src/app", message: "Features do not know the app." },
  ...features.map((name) => ({
    target: `./src/features/${name}`,
    from: "./src/features",
    except: [`./${name}`],
    message: "A feature does not import another; compose them in app/routes.",
  })),
  {
    target: "./src/wire",
    from: ["./src/play", "./src/components", "./src/lib", "./src/config"],
    message: "The wire knows only generated types.",
  },
  {
    target: "./src/play",
    from: ["./src/components", "./src/api/client.ts", "./src/config"],
    message: "The engine gets what it needs from outside.",
  },
];

const noReact = {
  paths: ["react", "react-dom", "react-router", "@tanstack/react-query"].map((name) => ({
    name,
    message: "play/ and wire/ are plain TypeScript.",
  })),
};

export default tseslint.config(
  {
    ignores: [
      "dist",
      "public",
      "src/api/problems.ts",
      "src/api/schema.ts",
      "src/locales/**/*.ts",
      "src/wire/close-codes.ts",
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      globals: { ...globals.browser },
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { "import-x": importX, "check-file": checkFile },
    settings: {
      "import-x/resolver-next": [createTypeScriptImportResolver(), createNodeResolver()],
    },
    rules: {
      "check-file/filename-naming-convention": [
        "error",
        { "**/*.{ts,tsx}": "KEBAB_CASE" },
        { ignoreMiddleExtensions: true },
      ],
      "check-file/folder-naming-convention": ["error", { "src/**/": "KEBAB_CASE" }],
      "import-x/no-default-export": "error",
      "import-x/no-cycle": "error",
      "import-x/no-restricted-paths": ["error", { zones }],
      "no-restricted-syntax": [
        "error",
        { selector: "ExportAllDeclaration", message: "No barrels: import from the file itself." },
      ],
      complexity: ["error", { max: 16, variant: "modified" }],
      "max-depth": ["error", 4],
      "max-params": ["error", 6],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["src/play/**", "src/wire/**"],
    rules: { "no-restricted-imports": ["error", noReact] },
  },
  {
    files: ["src/**/*.tsx"],
    extends: [jsxA11y.flatConfigs.strict],
    plugins: { "react-hooks": reactHooks },
    rules: { ...reactHooks.configs.recommended.rules },
  },
  {
    files: ["src/**"],
    ignores: ["src/lib/key-codes.ts"],
    plugins: { texts },
    rules: { "texts/translated": "error" },
  },
  {
    files: ["e2e/**"],
    languageOptions: { globals: { ...globals.node } },
  },
  {
    files: ["e2e/**/vitest.config.ts"],
    rules: { "import-x/no-default-export": "off" },
  },
  {
    files: ["*.{js,ts}", "scripts/**"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { ...globals.node } },
    rules: { "import-x/no-default-export": "off" },
  },
);
