// A player downloads their own data, and a researcher the data of all players.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { type TestServer, startServer } from "./support/server";
import { findAccessibilityFaults } from "./support/accessibility";
import {
  saveScreenshot,
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  type Visit,
} from "./support/browser";
import { createScenario } from "./support/scenario";

const EMAIL = "reader@example.org";
const run = promisify(execFile);
const step = createScenario();

let server: TestServer;
let browser: Browser;
let visit: Visit;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}download.log`, { RESEARCHER_EMAILS: EMAIL });
  visit = await openVisit(browser, server.url);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    await saveScreenshot(visit.page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

step("an episode is played to its end", async () => {
  const { page } = visit;
  await page.goto("/sign-in?next=%2Fplay%2Ftower-of-hanoi");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const pole of [1, 3, 1, 2, 3, 2, 1, 3, 2, 1, 2, 3, 1, 3])
    await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
  await page.waitForSelector('[data-testid="ending"][data-status="won"]');
});

step("own data downloads as a Minari dataset", async () => {
  const { page } = visit;
  const listed = async (): Promise<number> => {
    await page.goto("/you");
    await page.getByRole("heading", { name: "Download your data" }).waitFor();
    return page.getByText("14 steps").count();
  };
  // Episodes can be downloaded once they are uploaded.
  await expect.poll(listed, { interval: 500 }).toBeGreaterThan(0);
  expect(await saveDownload("Download my data", "own")).toContain(
    "skill-arcade/tower-of-hanoi/human-v0/data/0/part-0.parquet",
  );
});

step("research export downloads the same episode as Parquet", async () => {
  const { page } = visit;
  await page.goto("/research");
  await page.getByRole("rowheader", { name: /Hanoi/ }).waitFor();
  expect(await findAccessibilityFaults(page)).toEqual([]);
  await page.getByRole("combobox", { name: "Game" }).selectOption("tower-of-hanoi");
  await page.getByLabel(/Certified only/).uncheck();
  await page.getByLabel(/^Parquet/).check();
  expect(await saveDownload("Download", "research")).toContain("episodes.parquet");
});

step("the page reports no errors", () => {
  expect(visit.errors).toEqual([]);
});

/** Clicks, waits for a complete download, and lists its files. */
async function saveDownload(button: string, name: string): Promise<string> {
  const { page } = visit;
  const begun = page.waitForEvent("download");
  await page.getByRole("button", { name: button, exact: true }).click();
  const file = `${OUTPUT_FOLDER}${name}.zip`;
  await (await begun).saveAs(file);
  await page.getByText(/^Done: 1 episode, 14 steps, /).waitFor();
  const { stdout } = await run("python3", ["-m", "zipfile", "-t", file]);
  expect(stdout).toContain("Done testing");
  return (await run("python3", ["-m", "zipfile", "-l", file])).stdout;
}
