// A participant walks through the shipped study of input delays by browser. A block is some seconds of
// Breakout; the delays are those of the file.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { beforeAll, expect } from "vitest";

import { createScenario } from "./support/scenario";
import {
  heading,
  lookAtStudy,
  press,
  readExample,
  runStudies,
  holdTwoKeys,
} from "./support/studies";
import { openSuite } from "./support/suite";

const BLOCK_FRAMES = 120;
const DELAYS_MS = [0, 100, 200];
const step = createScenario(300_000);
const suite = openSuite("study-delay", { options: ["--no-lockstep"], consents: false });

beforeAll(async () => {
  const study = (await readExample("breakout-delay"))
    .replaceAll(/amount: {minutes: \d+}/g, `amount: {frames: ${String(BLOCK_FRAMES)}}`)
    .replaceAll("min_refresh_hz: 50, max_round_trip_ms: 100, ", "");
  await writeFile(join(suite.server.data, "delay.yaml"), study);
  await runStudies(suite.server.data, "open", "delay.yaml");
});

/** Plays a block until its amount is reached. */
async function playBlock(page: Page, name: string): Promise<void> {
  await page.waitForSelector('[data-phase="ready"]');
  await lookAtStudy(page, `${name}-game`);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  await page.keyboard.press("Space");
  await page.waitForSelector('[data-testid="ending"]');
  await press(page, "Continue");
}

step("consent, device and instructions come first", async () => {
  const { page } = suite.visit;
  await page.goto("/study/delay");
  await heading(page, "Taking part in a study").waitFor();
  await lookAtStudy(page, "delay-consent");
  await page.getByLabel("Use for this research").check();
  await page.getByLabel("In which year were you born?").fill("1985");
  await press(page, "Take part");
  await page.getByText("Measured.").waitFor();
  await holdTwoKeys(page);
  await lookAtStudy(page, "delay-device");
  await press(page, "Continue");
  await heading(page, "Instructions").waitFor();
  await lookAtStudy(page, "delay-instructions");
  await press(page, "Next");
  await press(page, "Continue");
});

step("practice and a block of each delay are played", async () => {
  const { page } = suite.visit;
  await playBlock(page, "delay-practice");
  for (const [number] of DELAYS_MS.entries())
    await playBlock(page, `delay-block-${String(number)}`);
});

step("questions and the debrief lead to the end", async () => {
  const { page } = suite.visit;
  await heading(page, "The three games").waitFor();
  await lookAtStudy(page, "delay-questions");
  await page.getByLabel("I am not sure").check();
  await press(page, "Continue");
  await heading(page, "Thank you").waitFor();
  await lookAtStudy(page, "delay-debrief");
  await press(page, "Finish");
  await page.waitForSelector('[data-testid="completion"][data-outcome="complete"]');
  await lookAtStudy(page, "delay-complete");
});

step("each block was recorded with its delay", async () => {
  const { data } = suite.server;
  await runStudies(data, "download", "delay", join(data, "tables"));
  const [head = "", ...lines] = (await readFile(join(data, "tables", "trials.csv"), "utf8"))
    .trim()
    .split(/\r?\n/);
  const columns = head.split(",");
  const read = (line: string, name: string) => line.split(",")[columns.indexOf(name)];
  const blocks = lines.filter((line) => read(line, "stage") !== "practice");
  expect(blocks.map((line) => Number(read(line, "input_delay_ms"))).sort((a, b) => a - b)).toEqual(
    DELAYS_MS,
  );
  for (const line of blocks)
    expect(read(line, "stage")).toBe(`delay-${String(Number(read(line, "input_delay_ms")))}`);
  expect(await runStudies(data, "status", "delay")).toMatch(/1 of 36 places/);
  expect(suite.visit.errors).toEqual([]);
});
