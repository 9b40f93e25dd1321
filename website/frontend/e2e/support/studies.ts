// Opens studies with the command line, looks at their pages, and plays their games.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Page } from "playwright-core";
import { expect } from "vitest";

import { findAccessibilityFaults } from "./accessibility";
import { saveScreenshot } from "./browser";
import { findOverflows } from "./overflow";

const EXAMPLES = new URL("../../../backend/skill_arcade/studies/examples/", import.meta.url);
const PYTHON = fileURLToPath(new URL("../../../backend/.venv/bin/python", import.meta.url));

/** Runs `skill-arcade studies` on the data folder of a server, and returns its output. */
export async function runStudies(data: string, ...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    PYTHON,
    ["-m", "skill_arcade", "studies", ...options],
    { cwd: data, env: { ...process.env, DATABASE_URL: undefined, SKILL_ARCADE_HOME: data } },
  );
  return stdout;
}

/** Returns the file of a shipped study. */
export function readExample(name: string): Promise<string> {
  return readFile(new URL(`${name}.yaml`, EXAMPLES), "utf8");
}

/** The heading of this name. */
export const heading = (page: Page, name: string) =>
  page.getByRole("heading", { name, exact: true });

/** Presses the button of this name. */
export const press = (page: Page, name: string) =>
  page.getByRole("button", { name, exact: true }).click();

/** Checks a page of a study at both widths and in both themes, and keeps a screenshot of each width. */
export async function lookAtStudy(page: Page, name: string): Promise<void> {
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
    for (const theme of ["light", "dark"]) {
      await page.evaluate((value) => (document.documentElement.dataset.theme = value), theme);
      expect(await findAccessibilityFaults(page), `${name} ${String(width)} ${theme}`).toEqual([]);
      expect(await findOverflows(page), `${name} ${String(width)} ${theme}`).toEqual([]);
    }
    await saveScreenshot(page, `study-${name}-${String(width)}`);
  }
}

/** Shows on the page about the device that its keyboard reports two keys at once. */
export async function holdTwoKeys(page: Page): Promise<void> {
  await page.keyboard.down("KeyA");
  await page.keyboard.down("KeyS");
  await page.getByText("Keys seen at once: 2").waitFor();
  await page.keyboard.up("KeyA");
  await page.keyboard.up("KeyS");
}

/** Returns the poles to press, so that a tower of `disks` gets from the first to the last pole. */
export function solveHanoi(disks: number, from = 1, to = 3): number[] {
  if (disks === 0) return [];
  const other = 6 - from - to;
  return [...solveHanoi(disks - 1, from, other), from, to, ...solveHanoi(disks - 1, other, to)];
}

/** Plays a trial of the Tower of Hanoi to its end, and continues. */
export async function playHanoi(page: Page, disks: number): Promise<void> {
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const pole of solveHanoi(disks))
    await page.keyboard.press(`Digit${String(pole)}`, { delay: 20 });
  await page.waitForSelector('[data-testid="ending"][data-status="won"]');
}
