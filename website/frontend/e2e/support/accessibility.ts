// Accessibility checks of a page with axe.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Returns the violations on the page, each with its rule and element. */
export async function findAccessibilityFaults(page: Page): Promise<string[]> {
  // Injected by the debugger, because the content security policy forbids other scripts. Animations
  // are awaited first.
  await page.evaluate(await readFile(SOURCE, "utf8"));
  return page.evaluate(async (rules) => {
    await Promise.all(document.getAnimations().map((motion) => motion.finished.catch(() => null)));
    const { axe } = window as unknown as { axe: { run(options: object): Promise<AxeResults> } };
    const { violations } = await axe.run({ runOnly: { type: "tag", values: rules } });
    return violations.flatMap(({ id, help, nodes }) =>
      nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 160)}`),
    );
  }, RULES);
}
