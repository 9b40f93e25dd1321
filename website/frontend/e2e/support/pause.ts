import type { Page } from "playwright-core";

/** Continues a game that was paused because the machine was too busy for it. */
export async function resumeIfPaused(page: Page): Promise<void> {
  if ((await page.locator('[data-phase="paused"]').count()) === 0) return;
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
}
