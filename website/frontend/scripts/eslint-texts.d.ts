import type { ESLint } from "eslint";

export const texts: ESLint.Plugin;
