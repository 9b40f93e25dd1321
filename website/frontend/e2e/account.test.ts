// A player views their history and deletes the account.
import type { Page } from "playwright-core";
import { expect } from "vitest";

import { createScenario } from "./support/scenario";
import { findAccessibilityFaults } from "./support/accessibility";
import { signIn } from "./support/sign-in";
import { openSuite } from "./support/suite";

const HANOI = [1, 3, 1, 2, 3, 2, 1, 3, 2, 1, 2, 3, 1, 3];
const step = createScenario(300_000);
const EMAIL = "leaver@example.org";

const suite = openSuite("account");

const readToken = (page: Page) =>
  page.evaluate(() => {
    const session = localStorage.getItem("skill-arcade.session") ?? "{}";
    return (JSON.parse(session) as { token: string }).token;
  });

const askSummary = (token: string) =>
  fetch(`${suite.server.url}/me/summary`, { headers: { Authorization: `Bearer ${token}` } });

step("the account page without games has no accessibility faults", async () => {
  await signIn(suite.visit.page, EMAIL, "/you");
  await suite.visit.page.getByRole("heading", { name: "No games yet" }).waitFor();
  expect(await findAccessibilityFaults(suite.visit.page)).toEqual([]);
});

// The certifier has the lowest priority, so it is slow on a busy machine.
const patience = { timeout: 240_000, interval: 500 };

step("the account page lists a won and certified episode", async () => {
  const { page } = suite.visit;
  await page.goto("/play/tower-of-hanoi");
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const pole of HANOI) await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
  await page.waitForSelector('[data-testid="ending"][data-status="won"]');
  // The API is polled, because rendering the page repeatedly would slow the certifier down.
  const token = await readToken(page);
  const certified = async () => {
    const answer = await askSummary(token);
    return ((await answer.json()) as { certified: number }).certified;
  };
  await expect.poll(certified, patience).toBe(1);
  await page.goto("/you");
  await page.getByRole("heading", { name: "By game" }).waitFor();
  await expect.poll(() => page.getByText("certified", { exact: true }).count()).toBe(2);
  await page.getByRole("heading", { name: "All rounds" }).waitFor();
  await page.getByText("14 steps").waitFor();
  expect(await findAccessibilityFaults(page)).toEqual([]);
});

step("account erasure needs the confirmation word", async () => {
  const { page } = suite.visit;
  const button = page.getByRole("button", { name: "Delete account" });
  await page.getByLabel(/Type erase/).fill("no");
  expect(await button.isDisabled()).toBe(true);
});

step("account erasure deletes the account and revokes the token", async () => {
  const { page } = suite.visit;
  const token = await readToken(page);
  await page.getByLabel(/Type erase/).fill("erase");
  await page.getByRole("button", { name: "Delete account" }).click();
  await page.getByRole("heading", { name: "Account deleted" }).waitFor();
  await page.getByText("1 round with 14 steps were deleted").waitFor();
  expect(await findAccessibilityFaults(page)).toEqual([]);
  const answer = await askSummary(token);
  expect(answer.status).toBe(401);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
});

step("signing in after account erasure shows an empty account page", async () => {
  await signIn(suite.visit.page, EMAIL, "/you");
  await suite.visit.page.getByRole("heading", { name: "No games yet" }).waitFor();
});

step("the page reports no errors", () => {
  expect(suite.visit.errors).toEqual([]);
});
