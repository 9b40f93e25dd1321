// A second browser watches a game live by the player's link. Its canvas is compared with the data
// set.
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
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
import { readBack, type Recording, signIn } from "./support/replay-session";
import { createScenario } from "./support/scenario";
import { hashCanvas } from "./support/screen";
import { startServer, type TestServer } from "./support/server";
import { readStartedEpisode } from "./support/started-episode";

const SCREEN = '[data-testid="watch-screen"]';

const step = createScenario(240_000);
let server: TestServer;
let browser: Browser;
let player: Visit;
let watcher: Visit;
let late: Visit;
let link: string;
let started: Promise<string>;
const shown = new Map<number, string>();

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}watch.log`, {}, ["--no-lockstep"]);
  player = await openVisit(browser, server.url);
  // They have not signed in.
  watcher = await openVisit(browser, server.url);
  late = await openVisit(browser, server.url);
  await signIn(player.page, server.url);
});

afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  const name = task.name.replaceAll(/[^a-z0-9]+/gi, "-");
  await saveScreenshot(player.page, `${name}-player`);
  await saveScreenshot(watcher.page, `${name}-watcher`);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const watchersOf = (page: Page) => page.getByTestId("watchers").getAttribute("data-count");

/** Collects pictures of the watcher's canvas until there are `count` more frames. */
async function collect(page: Page, count: number): Promise<void> {
  const seen = new Set<number>();
  while (seen.size < count) {
    await resumeIfPaused(player.page);
    await player.page.keyboard.press("ArrowRight", { delay: 60 });
    const { hash, frame } = await hashCanvas(page, SCREEN);
    seen.add(frame);
    shown.set(frame, hash);
    await player.page.keyboard.press("ArrowLeft", { delay: 30 });
  }
}

describe("watching live", () => {
  step("player lets others watch, which is off at first", async () => {
    const { page } = player;
    started = readStartedEpisode(page);
    await page.goto("/play/breakout");
    await page.waitForSelector('[data-phase="ready"]');
    const allow = page.getByRole("switch", { name: "Let others watch" });
    expect(await allow.isChecked()).toBe(false);
    await allow.click();
    link = await page.getByTestId("watch-link").inputValue();
    expect(link).toMatch(new RegExp(`^${server.url}/watch#[A-Za-z0-9_-]{43}$`));
    expect(await watchersOf(page)).toBe("0");
  });

  step("watcher waits for the start, and the player sees that somebody watches", async () => {
    await watcher.page.goto(link);
    await watcher.page.getByText("The player has not started yet.").waitFor();
    await player.page.waitForSelector('[data-testid="watchers"][data-count="1"]');
    expect(await findAccessibilityFaults(watcher.page)).toEqual([]);
  });

  step("watchers see the game, also one who comes late", async () => {
    await player.page.locator("body").click({ position: { x: 400, y: 5 } });
    await player.page.keyboard.press("Enter");
    await player.page.waitForSelector('[data-phase="playing"]');
    await player.page.keyboard.press("Space");
    await watcher.page.waitForSelector('[data-testid="live"][data-live="true"]');
    await watcher.page.waitForSelector(`${SCREEN}[data-frame]`);
    await collect(watcher.page, 12);
    await late.page.goto(link);
    await late.page.waitForSelector(`${SCREEN}[data-frame]`);
    await collect(late.page, 8);
    await player.page.waitForSelector('[data-testid="watchers"][data-count="2"]');
  });

  step("watcher who disconnects is no longer counted", async () => {
    await late.page.goto("about:blank");
    await player.page.waitForSelector('[data-testid="watchers"][data-count="1"]');
  });

  step("pause is shown to watchers", async () => {
    await player.page.keyboard.press("Escape");
    await player.page.waitForSelector('[data-phase="paused"]');
    await watcher.page.getByText("Paused by the player.").waitFor();
  });

  const SHAPES = {
    "390-light": { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true },
    "390-dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true },
    "1280-light": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
    "1280-dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  } satisfies Record<string, BrowserContextOptions>;

  for (const [name, shape] of Object.entries(SHAPES)) {
    step(`page of watchers at ${name} has no accessibility faults`, async () => {
      const context = await browser.newContext({
        ...shape,
        baseURL: server.url,
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      await page.goto(link);
      await page.waitForSelector(`${SCREEN}[data-frame]`);
      const faults = [...(await findAccessibilityFaults(page)), ...(await findOverflows(page))];
      await page.screenshot({ path: `${OUTPUT_FOLDER}watch-${name}.png` });
      expect(faults).toEqual([]);
      await context.close();
    });
  }

  step("player's page with a link has no accessibility faults", async () => {
    const { page } = player;
    expect(await findAccessibilityFaults(page)).toEqual([]);
    await page.getByTestId("watch-link").scrollIntoViewIfNeeded();
    await saveScreenshot(page, "watch-player");
    await page.getByRole("button", { name: "Resume" }).click();
    await page.waitForSelector('[data-phase="playing"]');
  });

  step("watcher reads that the player has ended it, and the link is gone", async () => {
    await player.page.getByRole("switch", { name: "Let others watch" }).click();
    await watcher.page.getByText("The player does not share this game any more.").waitFor();
    await late.page.goto(link);
    await late.page.getByRole("heading", { name: "Nothing to watch" }).waitFor();
    expect(await findAccessibilityFaults(late.page)).toEqual([]);
    await saveScreenshot(late.page, "watch-nothing");
  });

  step("new link is another one, and watchers read when the game ends", async () => {
    const { page } = player;
    await page.getByRole("switch", { name: "Let others watch" }).click();
    const second = await page.getByTestId("watch-link").inputValue();
    expect(second).not.toBe(link);
    await watcher.page.goto(second);
    await watcher.page.reload();
    await watcher.page.waitForSelector(`${SCREEN}[data-frame]`);
    await page.getByRole("banner").getByRole("button", { name: "Quit", exact: true }).click();
    await page.waitForURL(`${server.url}/`);
    await watcher.page
      .getByText(/The game has ended|This round is over|The player is disconnected/)
      .first()
      .waitFor();
  });

  step("pictures of the watchers are those of the data set", async () => {
    const recording = await readBack<Recording>(server, "frames", await started);
    expect(shown.size).toBeGreaterThan(10);
    for (const [frame, hash] of shown) expect(hash).toBe(recording.hashes[frame]);
    expect(recording.watch).toBe(true);
    expect(recording.watch_events.filter(({ kind }) => kind === "watch")).toEqual([
      { kind: "watch", data: { allowed: false } },
      { kind: "watch", data: { allowed: true } },
    ]);
    const counts = recording.watch_events.filter(({ kind }) => kind === "watchers");
    expect(counts[0]?.data).toEqual({ count: 2 });
  });

  step("no errors appear in the console", () => {
    expect([...player.errors, ...watcher.errors, ...late.errors]).toEqual([]);
  });
});
