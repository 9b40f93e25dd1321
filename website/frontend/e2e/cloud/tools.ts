// Google's programs in the versions that website/deploy pins. Install them by
// `npm ci --ignore-scripts` in website/deploy/tools.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const TOOLS = new URL("../../../deploy/tools/", import.meta.url);

export const FIREBASE = fileURLToPath(new URL("node_modules/.bin/firebase", TOOLS));

/** Loads a module of these programs. */
export const requireTool = (name: string): unknown => createRequire(TOOLS)(name);
