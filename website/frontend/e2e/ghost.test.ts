// Races a recorded round: the ghost's canvas is compared with the data set.
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import {
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  saveScreenshot,
  type Visit,
} from "./support/browser";
import { findOverflows } from "./support/overflow";
import { resumeIfPaused } from "./support/pause";
import { HANOI, readBack, type Recording, runSql, signIn } from "./support/replay-session";
import { playRound, press, quit, startRound } from "./support/round";
import { createScenario } from "./support/scenario";
import { hashCanvas, hashCanvasFrames } from "./support/screen";
import { startServer, type TestServer } from "./support/server";

const GHOST = '[data-testid="ghost"]';
const ROUND_SECONDS = 10;

const step = createScenario(300_000);
let server: TestServer;
let browser: Browser;
let visit: Visit;
let raced: string;
let recording: Recording;
let best: string;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}ghost.log`, {}, ["--no-lockstep"]);
  visit = await openVisit(browser, server.url);
  await signIn(visit.page, server.url);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    await saveScreenshot(visit.page, task.name.replaceAll(/[^a-z0-9]+/gi, "-"));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const racePath = () => `/play/breakout?ghost=${raced}`;

describe("race", () => {
  step("round is played and its replay leads to a race", async () => {
    const { page } = visit;
    [raced, recording] = await playRound(visit.page, server, "/play/breakout", ROUND_SECONDS);
    expect(recording.ghost).toBeNull();
    await page.goto(`/replay/${raced}`);
    await page.getByRole("link", { name: "Race", exact: true }).click();
    await page.waitForURL(`${server.url}${racePath()}`);
    await page.waitForSelector('[data-phase="ready"]');
  });

  step("ghost shows the frames of the data set, at the frames of the game", async () => {
    const { page } = visit;
    const episode = await startRound(page);
    await page.keyboard.press("Space");
    // The canvas is empty until the ghost's first segment is loaded.
    await page.waitForSelector(`${GHOST}[data-frame]`);
    const shown = new Map<number, string>();
    // A ghost that has ended shows nothing new, however long the test waits.
    const isOver = () => shown.has(recording.hashes.length - 1);
    while (!isOver() && (shown.size < 25 || new Set(shown.values()).size < 6)) {
      await resumeIfPaused(page);
      for (const [frame, hash] of await hashCanvasFrames(page, GHOST, 1)) shown.set(frame, hash);
    }
    expect(shown.size).toBeGreaterThanOrEqual(25);
    expect(new Set(shown.values()).size).toBeGreaterThanOrEqual(6);
    for (const [frame, hash] of shown) expect(hash).toBe(recording.hashes[frame]);
    expect(await page.locator(GHOST).evaluate((one) => getComputedStyle(one).opacity)).toBe("0.35");
    await page.getByRole("button", { name: "Hide ghost" }).click();
    expect(await page.locator(GHOST).count()).toBe(0);
    await page.getByRole("button", { name: "Hide ghost" }).click();
    await page.locator(GHOST).waitFor();
    await quit(page, server.url);
    const race = await readBack<Recording>(server, "frames", episode);
    expect(race.ghost).toEqual({ episode: raced, seed: "same" });
    expect(race.seed).toBe(recording.seed);
    expect(race.hashes[0]).toBe(recording.hashes[0]);
  });

  step("best round is offered before the start, and an unknown round says why not", async () => {
    const { page } = visit;
    await page.goto("/play/tower-of-hanoi");
    best = await startRound(page);
    for (const pole of HANOI) await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
    await page.waitForSelector('[data-phase="ended"]');
    await readBack<Recording>(server, "frames", best);
    await page.goto("/play/tower-of-hanoi");
    await page.getByRole("link", { name: /Race your best/ }).click();
    await page.waitForURL(`${server.url}/play/tower-of-hanoi?ghost=${best}`);
    await page.waitForSelector('[data-phase="ready"]');
    await page.goto("/play/breakout?ghost=00000000-0000-7000-8000-000000000000");
    await page.getByRole("heading", { name: "Ghost not available" }).waitFor();
  });

  step("ghost of a game that has changed is shown beside it, with a new seed", async () => {
    const { page } = visit;
    const solved = await readBack<Recording>(server, "frames", best);
    // As if the game's manifest had been edited since.
    const changed = `jsonb_set(provenance, '{manifest_sha256}', '"${"0".repeat(64)}"')`;
    await runSql(server, `UPDATE episode SET provenance = ${changed} WHERE id = '${best}'`);
    await page.goto(`/play/tower-of-hanoi?ghost=${best}`);
    const episode = await startRound(page);
    for (const [frame, pole] of [0, ...HANOI.slice(0, 4)].entries()) {
      if (frame > 0) await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
      await page.waitForSelector(`${GHOST}[data-frame="${String(frame)}"]`);
      expect((await hashCanvas(page, GHOST)).hash).toBe(solved.hashes[frame]);
    }
    const [ghost, game] = await Promise.all(
      [GHOST, '[data-testid="screen"]'].map((one) => page.locator(one).boundingBox()),
    );
    expect(ghost?.x).toBeGreaterThanOrEqual((game?.x ?? 0) + (game?.width ?? Infinity));
    await saveScreenshot(page, "ghost-beside");
    await quit(page, server.url);
    const race = await readBack<Recording>(server, "frames", episode);
    expect(race.ghost).toEqual({ episode: best, seed: "drawn" });
    expect(race.seed).not.toBe(solved.seed);
  });

  const SHAPES = {
    "390-light": { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true },
    "390-dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true },
    "1280-light": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
    "1280-dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  } satisfies Record<string, BrowserContextOptions>;

  for (const [name, shape] of Object.entries(SHAPES)) {
    step(`race at ${name} has no accessibility faults`, async () => {
      const context = await browser.newContext({
        ...shape,
        baseURL: server.url,
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      await signIn(page, server.url);
      for (const [state, path] of Object.entries({
        best: "/play/tower-of-hanoi",
        race: racePath(),
      })) {
        await page.goto(path);
        await page.waitForSelector('[data-phase="ready"]');
        if (state === "best") await page.getByRole("link", { name: /Race your best/ }).waitFor();
        else {
          await startRound(page);
          await press(page, 2);
        }
        const faults = [...(await findAccessibilityFaults(page)), ...(await findOverflows(page))];
        await page.screenshot({ path: `${OUTPUT_FOLDER}ghost-${name}-${state}.png` });
        await page.screenshot({
          path: `${OUTPUT_FOLDER}ghost-${name}-${state}-whole.png`,
          fullPage: true,
        });
        expect(faults).toEqual([]);
      }
      await context.close();
    });
  }

  step("no errors appear in the console", () => {
    expect(visit.errors.filter((text) => !text.includes("404"))).toEqual([]);
  });
});
