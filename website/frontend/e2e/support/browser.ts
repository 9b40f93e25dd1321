// Debian's Chromium, by Playwright, as quiet as it gets.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Ignored by git: what a failed run leaves to look at. */
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
  // What is waited for comes, however busy the machine is: this ends a test in which it does not.
  browser.on("context", (context) => context.setDefaultTimeout(90_000));
  return browser;
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** What went wrong in the page so far: errors of scripts, and of the console. */
  errors: string[];
}

/** A fresh visitor: no cookies, nothing stored. */
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

/** Keeps what the page looks like, for whoever reads why a test failed. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${OUTPUT_FOLDER}${name}.png` });
}
