// What breaks while one plays, as the player sees it: each time in words, and each time the game goes on where it was.
import { rename, writeFile, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { type Arcade, startArcade } from "./arcade";
import { keepPicture, openBrowser, openVisit, OUT, type Visit } from "./chromium";
import { type Network, openNetwork } from "./delay";
import { watchMotion } from "./screen";

let arcade: Arcade;
let network: Network;
let browser: Browser;
let visit: Visit;

beforeAll(async () => {
  browser = await openBrowser();
  const settings = { BACKLOG_SECONDS: "2", SEGMENT_SECONDS: "1" };
  arcade = await startArcade(`${OUT}away.log`, settings, ["--no-lockstep"]);
  network = await openNetwork(arcade.url, 0);
  visit = await openVisit(browser, network.url);
  const { page } = visit;
  await signIn(page, "away.test@example.org", network.url);
  await page.goto("/play/breakout");
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await reach(page, "playing");
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail" || process.env.PICTURES !== undefined)
    await keepPicture(visit.page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  await browser.close();
  network.close();
});

/** Waits until the game stands there, and gives the words that lie over the screen at that moment. */
async function reach(page: Page, phase: string): Promise<string> {
  const words = await page.waitForFunction(
    (phase) =>
      document.querySelector(`[data-phase="${phase}"]`) === null
        ? null
        : document.querySelector("main")?.innerText,
    phase,
  );
  const looked = process.env.PICTURES;
  if (looked !== undefined) await keepPicture(page, `${String(Date.now())}-${phase}`);
  return (await words.jsonValue()) ?? "";
}

async function goOn(page: Page): Promise<void> {
  await page.keyboard.press("Enter");
  await reach(page, "playing");
}

test("a network that is gone for a while: the game waits, and goes on in the same tab", async () => {
  const { page } = visit;
  network.cut(Infinity);
  expect(await reach(page, "broken")).toContain("Your game waits");
  network.cut(0);
  expect(await reach(page, "paused")).toContain("Welcome back");
  await goOn(page);
});

test("a page that is reloaded: the game waits, and goes on", async () => {
  const { page } = visit;
  await page.reload();
  expect(await reach(page, "paused")).toContain("Welcome back");
  await goOn(page);
});

test("a second tab takes the game over, the first one says so, and can have it back", async () => {
  const { page, context } = visit;
  const second = await context.newPage();
  await second.goto("/play/breakout");
  expect(await reach(second, "paused")).toContain("Welcome back");
  expect(await reach(page, "closed")).toContain("in another tab");
  await page.getByRole("button", { name: "Play here" }).click();
  await reach(page, "paused");
  expect(await reach(second, "closed")).toContain("in another tab");
  await second.close();
  await goOn(page);
});

test("a store that takes nothing: who plays plays on, and who comes is refused in words", async () => {
  const objects = join(arcade.data, "objects");
  await rename(objects, `${objects}.away`);
  await writeFile(objects, "");
  await expect
    .poll(async () => (await fetch(`${arcade.url}/readyz`)).text())
    .toContain("can't be delivered");
  const late = await openVisit(browser, arcade.url);
  await signIn(late.page, "late.test@example.org", arcade.url);
  await late.page.goto("/play/breakout");
  expect(await reach(late.page, "closed")).toContain("no new game starts; try again later");
  await late.context.close();
  expect((await watchMotion(visit.page, 0.5)).changes).toBeGreaterThan(0);
  await reach(visit.page, "playing");
  await rm(objects);
  await rename(`${objects}.away`, objects);
});

test("a server that is stopped says so, and that what was played is kept", async () => {
  const stopped = arcade.stop();
  expect(await reach(visit.page, "broken")).toContain(
    "The server is restarting. What you played is kept",
  );
  expect((await stopped).code).toBe(0);
  await reach(visit.page, "broken");
});

async function signIn(page: Page, email: string, url: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/`);
}
