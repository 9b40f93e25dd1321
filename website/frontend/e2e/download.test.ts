// A player downloads their own data, and a researcher the data of all players.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { OUTPUT_FOLDER } from "./support/browser";
import { createScenario } from "./support/scenario";
import { signIn } from "./support/sign-in";
import { openSuite } from "./support/suite";

const EMAIL = "reader@example.org";
const run = promisify(execFile);
const step = createScenario();

const suite = openSuite("download", { settings: { RESEARCHER_EMAILS: EMAIL } });

step("an episode is played to its end", async () => {
  const { page } = suite.visit;
  await signIn(page, EMAIL, "/play/tower-of-hanoi");
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const pole of [1, 3, 1, 2, 3, 2, 1, 3, 2, 1, 2, 3, 1, 3])
    await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
  await page.waitForSelector('[data-testid="ending"][data-status="won"]');
});

step("own data downloads as a Minari dataset", async () => {
  const { page } = suite.visit;
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
  const { page } = suite.visit;
  await page.goto("/research?view=download");
  await page.getByRole("rowheader", { name: /Hanoi/ }).waitFor();
  expect(await findAccessibilityFaults(page)).toEqual([]);
  await page.getByRole("combobox", { name: "Game" }).selectOption("tower-of-hanoi");
  await page.getByLabel(/Certified only/).uncheck();
  await page.getByLabel(/^Parquet/).check();
  expect(await saveDownload("Download", "research")).toContain("episodes.parquet");
});

step("a dataset is saved from the filters in view, and downloads with its citation", async () => {
  const { page } = suite.visit;
  await page.goto("/research?view=datasets");
  await page.getByText("The charts have all finished episodes.").waitFor();
  await page.getByRole("combobox", { name: "Game" }).selectOption("tower-of-hanoi");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("hanoi-people");
  await page.getByRole("button", { name: "Save dataset" }).click();
  await page.getByRole("heading", { name: "hanoi-people@1" }).waitFor();
  await page.getByRole("rowheader", { name: "tower-of-hanoi" }).waitFor();
  expect(await findAccessibilityFaults(page)).toEqual([]);
  expect(await saveDownload("Download", "dataset")).toContain("hanoi-people-1-minari/CITATION.cff");
});

step("the page reports no errors", () => {
  expect(suite.visit.errors).toEqual([]);
});

/** Clicks, waits for a complete download, and lists its files. */
async function saveDownload(button: string, name: string): Promise<string> {
  const { page } = suite.visit;
  const begun = page.waitForEvent("download");
  await page.getByRole("button", { name: button, exact: true }).click();
  const file = `${OUTPUT_FOLDER}${name}.zip`;
  await (await begun).saveAs(file);
  await page.getByText(/^Done: 1 episode, 14 steps, /).waitFor();
  const { stdout } = await run("python3", ["-m", "zipfile", "-t", file]);
  expect(stdout).toContain("Done testing");
  return (await run("python3", ["-m", "zipfile", "-l", file])).stdout;
}
