// The pages as a whole: what axe finds on each and in each state of a game, and what somebody does without a mouse.
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type Arcade, startArcade } from "./arcade";
import { findFaults } from "./axe";
import { openBrowser, OUT } from "./chromium";

// Round the cliff by the shortest way, to an end that is won.
const ROUND = ["ArrowUp", ...Array<string>(11).fill("ArrowRight"), "ArrowDown"];
const SHAPES = {
  "390 px, light": { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true },
  "1280 px, dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
} satisfies Record<string, BrowserContextOptions>;

let arcade: Arcade;
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
  arcade = await startArcade(`${OUT}axe.log`, {}, ["--no-lockstep"]);
});

afterAll(async () => {
  await browser.close();
  await arcade.stop();
});

test.each(Object.entries(SHAPES))("axe finds nothing anywhere at %s", async (name, shape) => {
  const context = await browser.newContext({
    ...shape,
    baseURL: arcade.url,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const found: Record<string, string[]> = {};
  const look = async (state: string) => {
    found[state] = await findFaults(page);
  };
  await page.goto("/");
  await page
    .getByRole("link", { name: /Breakout/ })
    .first()
    .waitFor();
  await look("library");
  await page.goto("/nowhere");
  await page.getByRole("link", { name: "All games", exact: true }).waitFor();
  await look("not found");
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").waitFor();
  await look("sign-in");
  await page.getByLabel("E-mail").fill(`axe.${String(name.length)}@example.org`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${arcade.url}/`);
  await lookAtGame(page, look);
  expect(found).toEqual(Object.fromEntries(Object.keys(found).map((state) => [state, []])));
  await context.close();
});

async function lookAtGame(page: Page, look: (state: string) => Promise<void>): Promise<void> {
  await page.goto("/play/breakout");
  await page.waitForSelector('[data-phase="ready"]');
  await look("ready");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForSelector('[data-phase="countdown"]');
  await look("countdown");
  await page.waitForSelector('[data-phase="playing"]');
  await look("playing");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.waitForSelector('[data-phase="paused"]');
  await look("paused");
  await page.goto("/play/cliff-walking");
  await page.waitForSelector('[data-phase="ready"]');
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForSelector('[data-phase="playing"]');
  for (const key of ROUND) await page.keyboard.press(key, { delay: 25 });
  await page.waitForSelector('[data-phase="ended"]');
  await look("ended");
}

test("the keyboard alone finds a game, plays it and comes back; what was chosen stays", async () => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    baseURL: arcade.url,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const { keyboard } = page;
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").focus();
  await keyboard.type("keys@example.org");
  await keyboard.press("Enter");
  await page.waitForURL(`${arcade.url}/`);

  const find = page.getByRole("searchbox");
  await find.focus();
  await keyboard.type("cliff");
  const star = page.getByRole("button", { name: "Cliff Walking is a favourite" });
  await star.focus();
  await keyboard.press("Enter");
  await expect.poll(() => star.first().getAttribute("aria-pressed")).toBe("true");
  await page.reload();
  await page.getByRole("heading", { name: "Favourites" }).waitFor();

  const cards = page.locator('a[href^="/play/"]');
  await cards.first().focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("href") ?? "");
  const first = await focused();
  await keyboard.press("ArrowDown");
  await expect.poll(focused).not.toBe(first);
  await keyboard.press("ArrowUp");
  await expect.poll(focused).toBe(first);
  await keyboard.press("Enter");
  await page.waitForSelector('[data-phase="ready"]');
  expect(page.url()).toContain("/play/cliff-walking");
  await keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const key of ROUND) await keyboard.press(key, { delay: 25 });
  await page.waitForSelector('[data-phase="ended"]');
  await page.getByRole("link", { name: "All games", exact: true }).first().focus();
  await keyboard.press("Enter");
  await page.waitForURL(`${arcade.url}/`);

  await page.goto("/play/breakout");
  await page.getByTestId("gauge").waitFor();
  await page.getByLabel("Show delay and pictures a second").focus();
  const kept = page.waitForResponse((answer) => answer.url().endsWith("/me/preferences"));
  await keyboard.press("Space");
  await expect.poll(() => page.getByTestId("gauge").count()).toBe(0);
  await kept;
  await page.reload();
  await page.waitForSelector('[data-phase="ready"]');
  expect(await page.getByTestId("gauge").count()).toBe(0);
  await context.close();
});
