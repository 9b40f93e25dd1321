// Minutes of streamed play: long tasks, memory, and gaps between pictures. The test is short and
// checks counts; `python -m benchmarks endurance` runs it for minutes (ENDURANCE_PLAN).
import { writeFile } from "node:fs/promises";

import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type TestServer, startServer } from "./support/server";
import { openBrowser, openVisit, OUTPUT_FOLDER } from "./support/browser";
import { Stopwatch } from "./support/stopwatch";

interface Plan {
  minutes: number;
  /** Interval between two memory readings in seconds. */
  every: number;
}

interface Reading {
  second: number;
  /** Used size of the JavaScript heap in bytes after a garbage collection. */
  heap: number;
  nodes: number;
  /** Durations in milliseconds of the tasks longer than 50 ms since the last reading. */
  longTasks: number[];
  gaps: number[];
  skipped: number;
}

type World = typeof globalThis & { longTasks: number[] };

const plan = JSON.parse(process.env.ENDURANCE_PLAN ?? '{"minutes": 0.05, "every": 3}') as Plan;

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}endurance.log`, {}, ["--no-lockstep"]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test(
  "long tasks, memory and paint gaps are measured during minutes of play",
  async () => {
    const { page, errors } = await openVisit(browser, server.url);
    const watch = await Stopwatch.attach(page);
    await page.goto("/sign-in");
    await page.getByLabel("E-mail").fill("endurance@example.org");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`${server.url}/`);
    await page.goto("/play/breakout");
    await page.waitForSelector('[data-phase="ready"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-phase="playing"]');
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    await page.evaluate(watchTasks);
    const readings: Reading[] = [];
    for (let second = plan.every; second <= 60 * plan.minutes; second += plan.every) {
      const seen = watch.watchPaints(plan.every);
      await keepPlaying(page, plan.every);
      readings.push({ second, ...(await read(page, session)), ...(await seen) });
    }
    expect(readings.length).toBe(Math.floor((60 * plan.minutes) / plan.every));
    for (const reading of readings) {
      expect(reading.heap).toBeGreaterThan(0);
      expect(reading.gaps.length).toBeGreaterThan(0);
    }
    expect(errors).toEqual([]);
    const result = process.env.ENDURANCE_RESULT;
    if (result !== undefined) await writeFile(result, JSON.stringify(readings));
  },
  60_000 * (2 * plan.minutes + 2),
);

/** Runs in the page: records each task longer than 50 ms (Long Tasks API). */
function watchTasks(): void {
  const world = globalThis as World;
  world.longTasks = [];
  new PerformanceObserver((list) => {
    world.longTasks.push(...list.getEntries().map((entry) => entry.duration));
  }).observe({ type: "longtask" });
}

/** Serves and moves left and right. Restarts a game that has ended. */
async function keepPlaying(page: Page, seconds: number): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  for (let turn = 0; performance.now() < end; turn++) {
    if ((await page.locator('[data-phase="ended"]').count()) > 0) {
      await page.waitForTimeout(600); // Enter is ignored right after the end
      await page.keyboard.press("Enter");
      await page.waitForSelector('[data-phase="playing"]');
    }
    if (turn % 8 === 0) await page.keyboard.press("Space", { delay: 60 });
    await page.keyboard.press(turn % 2 === 0 ? "ArrowRight" : "ArrowLeft", { delay: 200 });
  }
}

async function read(
  page: Page,
  session: CDPSession,
): Promise<Omit<Reading, "second" | "gaps" | "skipped">> {
  const longTasks = await page.evaluate(() => (globalThis as World).longTasks.splice(0));
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const find = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? NaN;
  return { longTasks, heap: find("JSHeapUsedSize"), nodes: find("Nodes") };
}
