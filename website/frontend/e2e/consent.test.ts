// A player is asked before anything is recorded: declines, allows, withdraws. Another one is too young.
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { saveScreenshot } from "./support/browser";
import { findOverflows } from "./support/overflow";
import { createScenario } from "./support/scenario";
import { signIn } from "./support/sign-in";
import { openSuite } from "./support/suite";

const HANOI = [1, 3, 1, 2, 3, 2, 1, 3, 2, 1, 2, 3, 1, 3];
const GAME = "/play/tower-of-hanoi";
const step = createScenario(300_000);
const patience = { timeout: 120_000, interval: 500 };

const suite = openSuite("consent", { consents: false, options: ["--no-lockstep"] });

async function ask<T>(page: Page, path: string): Promise<T> {
  const token = await page.evaluate(() => {
    const session = localStorage.getItem("skill-arcade.session") ?? "{}";
    return (JSON.parse(session) as { token: string }).token;
  });
  const answer = await fetch(suite.server.url + path, {
    headers: { Authorization: `Bearer ${token}` },
  });
  return (await answer.json()) as T;
}

async function playToTheEnd(page: Page): Promise<void> {
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const pole of HANOI) await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
  await page.waitForSelector('[data-testid="ending"][data-status="won"]');
}

/** Returns the lower edge of a button in pixels. */
async function findBottom(page: Page, name: string): Promise<number> {
  const box = await page.getByRole("button", { name }).boundingBox();
  return (box?.y ?? Infinity) + (box?.height ?? 0);
}

const countEpisodes = async (page: Page) => (await ask<unknown[]>(page, "/me/episodes")).length;
const waitForConsent = (page: Page) => page.waitForURL((url) => url.pathname === "/consent");

step("a first visit asks with nothing ticked", async () => {
  const { page } = suite.visit;
  await signIn(page, "consent@example.org", GAME);
  await waitForConsent(page);
  await page.getByRole("heading", { name: "Before you play" }).waitFor();
  expect(await page.getByRole("checkbox").count()).toBe(3);
  expect(await page.getByRole("checkbox", { checked: true }).count()).toBe(0);
  expect(await page.getByRole("button", { name: "Allow", exact: true }).isDisabled()).toBe(true);
});

step("the question has no faults in either theme, and fits on a phone", async () => {
  const { page } = suite.visit;
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
    for (const theme of ["dark", "light"]) {
      await page.evaluate((value) => (document.documentElement.dataset.theme = value), theme);
      await saveScreenshot(page, `consent-${String(width)}-${theme}`);
      expect(await findAccessibilityFaults(page)).toEqual([]);
      expect(await findOverflows(page)).toEqual([]);
    }
  }
  expect(await findBottom(page, "Play without recording")).toBeLessThanOrEqual(844);
  await page.getByRole("button", { name: "Deutsch" }).click();
  await page.getByRole("heading", { name: "Vor dem Spielen" }).waitFor();
  await saveScreenshot(page, "consent-390-german");
  expect(await findBottom(page, "Ohne Aufzeichnung spielen")).toBeLessThanOrEqual(844);
  expect(await findAccessibilityFaults(page)).toEqual([]);
  await page.getByRole("button", { name: "English" }).click();
  await page.setViewportSize({ width: 1280, height: 800 });
});

step("declining by keyboard plays without recording", async () => {
  const { page } = suite.visit;
  await page.getByLabel("In which year were you born?").focus();
  await page.keyboard.press("Tab"); // the other button is disabled
  await page.keyboard.press("Enter");
  await page.waitForURL(suite.server.url + GAME);
  await page.getByTestId("not-recorded").waitFor();
  await playToTheEnd(page);
  await page.getByTestId("not-recorded").waitFor();
  await saveScreenshot(page, "consent-not-recorded");
  expect(await page.getByRole("link", { name: "Watch replay" }).count()).toBe(0);
  expect(await findAccessibilityFaults(page)).toEqual([]);
});

step("allowing records from now on, and not what was before", async () => {
  const { page } = suite.visit;
  await page.getByTestId("not-recorded").getByRole("link", { name: "Change" }).click();
  await waitForConsent(page);
  await page.getByLabel("Research", { exact: true }).check();
  await page.getByLabel("Replays and leaderboards").check();
  await page.getByLabel("In which year were you born?").fill("1980");
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await page.waitForURL(suite.server.url + GAME);
  await playToTheEnd(page);
  await page.getByRole("link", { name: "Watch replay" }).waitFor();
  await expect.poll(() => countEpisodes(page), patience).toBe(1);
});

step("the account page withdraws one scope, then everything", async () => {
  const { page } = suite.visit;
  await page.goto("/you");
  await page.getByRole("button", { name: "Withdraw Replays and leaderboards" }).waitFor();
  for (const theme of ["dark", "light"]) {
    await page.evaluate((value) => (document.documentElement.dataset.theme = value), theme);
    await page
      .getByRole("heading", { name: "Recording" })
      .evaluate((heading) => heading.scrollIntoView());
    await saveScreenshot(page, `consent-you-${theme}`);
    expect(await findAccessibilityFaults(page)).toEqual([]);
  }
  await page.getByRole("button", { name: "Withdraw Replays and leaderboards" }).click();
  await page
    .getByRole("button", { name: "Withdraw Replays and leaderboards" })
    .waitFor({ state: "detached" });
  expect((await ask<{ scopes: string[] }>(page, "/me/consent")).scopes).toEqual(["research"]);
  expect(await countEpisodes(page)).toBe(1);
  await page.getByRole("button", { name: "Withdraw everything and delete recordings" }).click();
  await page.getByRole("button", { name: "Yes, delete my recordings" }).click();
  await page.getByText("Your games are not recorded.").waitFor();
  await expect.poll(() => countEpisodes(page), patience).toBe(0);
});

step("a young player is refused, on this device as well", async () => {
  const { page } = suite.visit;
  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(page, "young@example.org", GAME);
  await waitForConsent(page);
  await page.getByLabel("Research", { exact: true }).check();
  await page.getByLabel("In which year were you born?").fill(String(new Date().getFullYear() - 10));
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await page.getByText("Your games cannot be recorded.").waitFor();
  await saveScreenshot(page, "consent-young");
  expect(await findAccessibilityFaults(page)).toEqual([]);
  await page.reload();
  await page.getByText("Your games cannot be recorded.").waitFor();
  expect(await page.getByRole("checkbox").count()).toBe(0);
  await page.getByRole("button", { name: "Play without recording" }).click();
  await page.waitForURL(suite.server.url + GAME);
  await page.getByTestId("not-recorded").waitFor();
});

step("the page reports no errors", () => {
  // The refusal of the young player is a response with status 403.
  expect(suite.visit.errors.filter((text) => !text.includes("403"))).toEqual([]);
});
