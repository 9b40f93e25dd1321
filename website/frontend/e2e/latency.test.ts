// Latency from key press to picture in Chromium, streamed and in lockstep, over several networks.
// The test is short and checks counts; `python -m benchmarks latency` runs a plan (LATENCY_PLAN) and
// collects the figures.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { shouldSkip } from "../tests/support/prerequisites";
import { type TestServer, startServer } from "./support/server";
import { saveScreenshot, openBrowser, openVisit, OUTPUT_FOLDER } from "./support/browser";
import { type Network, openNetwork } from "./support/network";
import { waitForEmulator, countLoadedEmulators } from "./support/emulator";
import { Stopwatch } from "./support/stopwatch";

type Mode = "streamed" | "lockstep";

interface Plan {
  /** Round trip and jitter in milliseconds. */
  networks: { mode: Mode; delay: number; jitter: number; throttle: number }[];
  presses: number;
  /** Measured time per network in seconds. */
  seconds: number;
}

interface Row {
  mode: Mode;
  delay: number;
  jitter: number;
  throttle: number;
  /** Latency of each press in milliseconds. */
  presses: number[];
  start: number;
  /** From the click on the card to the first picture: with an empty cache, and again. */
  cold: number;
  warm: number;
  /** From the click on Start to the picture behind the countdown. */
  seen: number;
  gaps: number[];
  painted: number;
  skipped: number;
  seconds: number;
  up: number;
  down: number;
}

const isBuilt = existsSync(
  fileURLToPath(new URL("../../.state/lockstep/lockstep.wasm", import.meta.url)),
);
const SMALL: Plan = {
  networks: (["streamed", "lockstep"] as const)
    .filter((mode) => isBuilt || mode === "streamed")
    .map((mode) => ({ mode, delay: 40, jitter: 10, throttle: 1 })),
  presses: 3,
  seconds: 1,
};
shouldSkip(isBuilt ? null : "the lockstep module is not built");
const plan = JSON.parse(process.env.LATENCY_PLAN ?? JSON.stringify(SMALL)) as Plan;
const minutes = 60_000;

let server: TestServer;
let network: Network;
let browser: Browser;
let visitors = 0;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}latency.log`, {}, isBuilt ? [] : ["--no-lockstep"]);
  network = await openNetwork(server.url, 0);
});

afterAll(async () => {
  await browser.close();
  network.close();
  await server.stop();
});

test(
  "latency of each key press is measured, and frames are painted",
  async () => {
    const rows: Row[] = [];
    for (const one of plan.networks) {
      const row = await measure(one);
      rows.push(row);
      expect(row.presses.filter((time) => time > 0).length).toBe(plan.presses);
      expect(row.painted).toBeGreaterThan(10);
      // Only finite: on a busy machine the start of a display frame may precede the click it shows.
      expect([row.cold, row.seen, row.warm].every(Number.isFinite)).toBe(true);
    }
    const result = process.env.LATENCY_RESULT;
    if (result !== undefined) await writeFile(result, JSON.stringify(rows));
  },
  30 * minutes,
);

async function measure(one: Plan["networks"][number]): Promise<Row> {
  network.delay(0);
  const { context, page } = await openVisit(browser, network.url);
  const watch = await Stopwatch.attach(page);
  await countLoadedEmulators(page);
  // If the files cannot be loaded, the game is streamed.
  if (one.mode === "streamed") await context.route("**/lockstep/**", (route) => route.abort());
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(`latency.${String(++visitors)}@example.org`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${network.url}/`);
  network.delay(one.delay, one.jitter);
  const opening = await startGame(page, watch, one.mode);
  if (one.throttle > 1) await watch.slowDown(one.throttle);
  const start = await watch.timeStart();
  // Warm-up: compilation and the first sound of a page are not measured.
  await page.waitForTimeout(500);
  const presses = await watch.timePresses(plan.presses);
  const before = { ...network.bytes, at: performance.now() };
  const paints = await watch.watchPaints(plan.seconds);
  const seconds = (performance.now() - before.at) / 1000;
  const [up, down] = [network.bytes.up - before.up, network.bytes.down - before.down];
  if (one.mode === "lockstep") await saveScreenshot(page, "lockstep");
  const warm = await openAgain(page, watch);
  const row = {
    ...one,
    presses,
    start,
    ...opening,
    warm,
    ...paints,
    seconds,
    up,
    down,
  };
  await context.close();
  return row;
}

/** Opens the game from the library by clicks. */
async function startGame(
  page: Page,
  watch: Stopwatch,
  mode: Mode,
): Promise<Pick<Row, "cold" | "seen">> {
  const cold = await openGame(page, watch);
  if (mode === "lockstep") await waitForEmulator(page);
  await page.getByRole("button", { name: "Start", exact: true }).click();
  const seen = await watch.timeUnobstructed();
  await page.waitForSelector('[data-phase="playing"]');
  const by = mode === "lockstep" ? "page" : "server";
  await page.waitForSelector(`[data-testid="mode"][data-stepped-by="${by}"]`);
  return { cold, seen };
}

async function openGame(page: Page, watch: Stopwatch): Promise<number> {
  await page.locator('a[href="/play/breakout"]').first().click();
  const time = await watch.timeOpening();
  await page.waitForSelector('[data-phase="ready"]');
  return time;
}

/** Quits the game and opens it again. */
async function openAgain(page: Page, watch: Stopwatch): Promise<number> {
  await page.getByRole("button", { name: "Quit", exact: true }).click();
  await page.waitForURL(`${network.url}/`);
  return openGame(page, watch);
}
