// What axe, the accessibility checker, finds wrong with a page as it stands.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Faults of the page, each with the rule and the element; none is what a test wants. */
export async function findAccessibilityFaults(page: Page): Promise<string[]> {
  // By the debugger, since the page's own policy lets no foreign script in. What moves is looked at when it has come to rest.
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
