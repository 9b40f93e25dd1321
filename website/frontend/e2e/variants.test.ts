// A player finds a game by its former name, chooses its size by keyboard and by touch, plays it, and
// sees the size with the round. Addresses of former ids lead to the game and its size.
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { saveScreenshot } from "./support/browser";
import { createScenario } from "./support/scenario";
import { signIn } from "./support/sign-in";
import { openSuite } from "./support/suite";

const step = createScenario(300_000);
const EMAIL = "sizes@example.org";

const suite = openSuite("variants");

const disks = (page: Page) => page.getByLabel("Disks");
const waitUntilReady = (page: Page) => page.waitForSelector('[data-phase="ready"]');

step("search by a former name finds one card, which opens the default size", async () => {
  const { page } = suite.visit;
  await signIn(page, EMAIL);
  await page.getByRole("searchbox").fill("Tower of Hanoi, 5 disks");
  const card = page.getByRole("link", { name: /Tower of Hanoi/u });
  await expect.poll(() => card.count()).toBe(1);
  await saveScreenshot(page, "variants-search");
  await card.click();
  await page.waitForURL(`${suite.server.url}/play/tower-of-hanoi`);
  await waitUntilReady(page);
  expect(await disks(page).inputValue()).toBe("3");
  expect(await disks(page).locator("option").allTextContents()).toEqual(["3", "4", "5", "6", "7"]);
});

step("size chosen by keyboard is in the address and is played", async () => {
  const { page } = suite.visit;
  await disks(page).focus();
  await page.keyboard.press("ArrowDown");
  await page.waitForURL(`${suite.server.url}/play/tower-of-hanoi?disks=4`);
  await waitUntilReady(page);
  expect(await findAccessibilityFaults(page)).toEqual([]);
  await saveScreenshot(page, "variants-start");
  await page
    .getByRole("button", { name: /play|start/iu })
    .first()
    .click();
  await page.waitForSelector('[data-phase="playing"]');
  await page.keyboard.press("Digit1");
  await page.getByRole("button", { name: "Quit", exact: true }).click();
  await page.waitForURL(`${suite.server.url}/`);
});

step(
  "size of the last time is offered again, and the address of a former id beats it",
  async () => {
    const { page } = suite.visit;
    await page.goto("/play/tower-of-hanoi");
    await waitUntilReady(page);
    expect(await disks(page).inputValue()).toBe("4");
    await page.goto("/play/tower-of-hanoi-5");
    await page.waitForURL(`${suite.server.url}/play/tower-of-hanoi?disks=5`);
    await waitUntilReady(page);
    expect(await disks(page).inputValue()).toBe("5");
    await disks(page).selectOption("3");
    await page.waitForURL(`${suite.server.url}/play/tower-of-hanoi`);
    await waitUntilReady(page);
    expect(await disks(page).inputValue()).toBe("3");
  },
);

step("rounds and totals are listed with their size and lead back to it", async () => {
  const { page } = suite.visit;
  await page.goto("/you");
  for (const name of ["By game", "All rounds"]) {
    const section = page.getByRole("region", { name });
    const round = section.getByRole("link", { name: "Tower of Hanoi Disks 4" });
    await round.waitFor();
    expect(await round.getAttribute("href")).toBe("/play/tower-of-hanoi?disks=4");
  }
});

step("board of a former id is the board of its size", async () => {
  const { page } = suite.visit;
  await page.goto("/boards/tower-of-hanoi-6?season=all");
  await page.waitForURL((url) => url.pathname === "/boards/tower-of-hanoi");
  expect(new URL(page.url()).searchParams.get("settings")).toBe("disks=6");
  await page.getByText("Disks 6", { exact: true }).waitFor();
  const play = page.getByRole("link", { name: "Play Tower of Hanoi" });
  expect(await play.getAttribute("href")).toBe("/play/tower-of-hanoi?disks=6");
});

step("size is chosen by touch on a phone", async () => {
  const context = await suite.browser.newContext({
    baseURL: suite.server.url,
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  await signIn(page, EMAIL);
  await page.goto("/play/minigrid-door-key-5x5");
  await page.waitForURL(`${suite.server.url}/play/minigrid-door-key?size=5x5`);
  await waitUntilReady(page);
  const size = page.getByLabel("Size");
  const box = await size.boundingBox();
  expect(box?.height).toBeGreaterThanOrEqual(36);
  await size.tap();
  await size.selectOption({ label: "16 × 16" });
  await page.waitForURL(`${suite.server.url}/play/minigrid-door-key?size=16x16`);
  await waitUntilReady(page);
  await saveScreenshot(page, "variants-phone");
  await context.close();
  expect(suite.visit.errors).toEqual([]);
});
