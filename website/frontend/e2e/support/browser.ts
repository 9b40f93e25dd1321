// Starts the system's Chromium with Playwright, without background traffic.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Screenshots and logs of the tests. Ignored by git. */
export const OUTPUT_FOLDER = fileURLToPath(new URL("../.out/", import.meta.url));

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function openBrowser(): Promise<Browser> {
  await mkdir(OUTPUT_FOLDER, { recursive: true });
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  // Long, because the machine may be busy. It delays only failing tests.
  browser.on("context", (context) => context.setDefaultTimeout(90_000));
  return browser;
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Script errors and console errors of the page so far. */
  errors: string[];
}

/** Opens a page in a new context, without cookies and stored data. */
export async function openVisit(browser: Browser, url: string): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { context, page, errors };
}

/** Saves a screenshot to OUTPUT_FOLDER. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${OUTPUT_FOLDER}${name}.png` });
}
