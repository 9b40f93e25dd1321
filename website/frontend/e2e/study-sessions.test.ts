// A participant walks through the shipped study of three sessions by browser. Sessions and nights are
// shortened: a session is some seconds of Breakout, a night some seconds.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import {
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  saveScreenshot,
  type Visit,
} from "./support/browser";
import { createScenario } from "./support/scenario";
import { startServer, type TestServer } from "./support/server";
import {
  heading,
  press,
  lookAtStudy,
  readExample,
  runStudies,
  holdTwoKeys,
} from "./support/studies";

const SESSION_FRAMES = 180;
const NIGHT_SECONDS = 8;
const step = createScenario(300_000);

let server: TestServer;
let browser: Browser;
let visit: Visit;

beforeAll(async () => {
  browser = await openBrowser({ consents: false });
  server = await startServer(`${OUTPUT_FOLDER}study-sessions.log`, {}, ["--no-lockstep"]);
  visit = await openVisit(browser, server.url);
  const study = (await readExample("breakout-learning"))
    .replaceAll("minutes: 20}", `frames: ${String(SESSION_FRAMES)}}`)
    .replaceAll("not_before_hours: 16", `not_before_hours: ${String(NIGHT_SECONDS / 3600)}`)
    .replaceAll("min_refresh_hz: 50, max_round_trip_ms: 250, ", "");
  await writeFile(join(server.data, "sessions.yaml"), study);
  await runStudies(server.data, "open", "sessions.yaml");
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    await saveScreenshot(visit.page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Plays the games of a session until its amount is reached. */
async function playSession(page: Page, name: string): Promise<void> {
  await page.waitForSelector('[data-phase="ready"]');
  await lookAtStudy(page, `${name}-game`);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  await page.keyboard.press("Space");
  await page.waitForSelector('[data-testid="ending"]');
  await lookAtStudy(page, `${name}-ended`);
  await press(page, "Continue");
}

step("consent and a look at the device come first", async () => {
  const { page } = visit;
  await page.goto("/study/sessions");
  await heading(page, "Taking part in a study").waitFor();
  await lookAtStudy(page, "sessions-consent");
  await page.getByLabel("Use for this research").check();
  await page.getByLabel("In which year were you born?").fill("1985");
  await press(page, "Take part");
  await page.getByText("Measured.").waitFor();
  await holdTwoKeys(page);
  await lookAtStudy(page, "sessions-device");
  await press(page, "Continue");
  await heading(page, "Instructions").waitFor();
  await lookAtStudy(page, "sessions-instructions");
  await press(page, "Continue");
});

for (const number of [1, 2])
  step(`session ${String(number)} leads to a night, after which the study goes on`, async () => {
    const { page } = visit;
    await playSession(page, `session-${String(number)}`);
    await page
      .getByText(number === 1 ? "for the second session" : "for the last session")
      .waitFor();
    await lookAtStudy(page, `night-${String(number)}`);
    await page.waitForTimeout(NIGHT_SECONDS * 1000);
    await page.reload();
    await press(page, "Continue");
  });

step("the last session leads to the debrief and the end", async () => {
  const { page } = visit;
  await playSession(page, "session-3");
  await heading(page, "Thank you").waitFor();
  await lookAtStudy(page, "sessions-debrief");
  await press(page, "Finish");
  await page.waitForSelector('[data-testid="completion"][data-outcome="complete"]');
  await lookAtStudy(page, "sessions-complete");
  expect(await runStudies(server.data, "status", "sessions")).toMatch(/1 of 30 places/);
  expect(visit.errors).toEqual([]);
});
