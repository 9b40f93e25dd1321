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

/** Starts the browser. Its players allow everything when they sign in, unless `consents` is false. */
export async function openBrowser({ consents = true } = {}): Promise<Browser> {
  await mkdir(OUTPUT_FOLDER, { recursive: true });
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
  // Long, because the machine may be busy. It delays only failing tests.
  browser.on("context", (context) => {
    context.setDefaultTimeout(90_000);
    if (consents) void consentAtSignIn(context);
  });
  return browser;
}

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Script errors and console errors of the page so far. */
  errors: string[];
}

/** Opens a page in a new context, without cookies and stored data. */
export async function openVisit(browser: Browser, url: string, locale = "en-US"): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    locale,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { context, page, errors };
}

/** Allows everything whenever the page signs in, as a player does on the page `/consent`. */
async function consentAtSignIn(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const send = window.fetch.bind(window);
    window.fetch = async (input, init) => {
      const response = await send(input, init);
      const { href, origin, pathname } = new URL(
        input instanceof Request ? input.url : input,
        location.href,
      );
      if (
        !href.startsWith("http") ||
        pathname !== "/auth/login" ||
        init?.method !== "POST" ||
        !response.ok
      )
        return response;
      const { token } = (await response.clone().json()) as { token: string };
      const document = (await (await send(`${origin}/consent/document`)).json()) as {
        sha256: string;
      };
      await send(`${origin}/me/consent`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: JSON.stringify({
          document: document.sha256,
          scopes: ["research", "publication", "boards"],
          birth_year: 1980,
          time_shown: null,
        }),
      });
      return response;
    };
  });
}

/** Saves a screenshot to OUTPUT_FOLDER. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${OUTPUT_FOLDER}${name}.png` });
}
