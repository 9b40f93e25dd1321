// Times, memory and bytes of a replay. The test is short and checks counts; `python -m benchmarks
// replay` runs it on half an hour of play (REPLAY_PLAN).
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, openVisit, OUTPUT_FOLDER } from "./support/browser";
import { startServer, type TestServer } from "./support/server";

interface Plan {
  minutes: number;
  seeks: number;
}

interface Measure {
  name: string;
  value: number;
  unit: string;
  target: string;
}

interface Seek {
  pressedAt: number;
  paintedAt: number;
}

const plan = JSON.parse(process.env.REPLAY_PLAN ?? '{"minutes": 0.5, "seeks": 10}') as Plan;
const BACKEND = fileURLToPath(new URL("../../backend/", import.meta.url));
const RESEARCHER = "researcher@example.org";
const CLIP_FRAMES = 600;

let server: TestServer;
let browser: Browser;
let episode: string;
let token: string;

beforeAll(async () => {
  browser = await openBrowser();
  const settings = { RESEARCHER_EMAILS: RESEARCHER };
  server = await startServer(`${OUTPUT_FOLDER}replay-budget.log`, settings, ["--no-lockstep"]);
  const { stdout } = await promisify(execFile)(
    `${BACKEND}.venv/bin/python`,
    ["-m", "benchmarks.replay", server.data, String(plan.minutes)],
    { cwd: BACKEND },
  );
  episode = stdout.trim().split("\n").at(-1) ?? "";
  // The episode was written without a player, so there is no consent on record.
  await promisify(execFile)(
    `${BACKEND}.venv/bin/python`,
    [
      "-m",
      "skill_arcade",
      "consent",
      "decide-old",
      "--scope",
      "research",
      "--reason",
      "a benchmark",
    ],
    { cwd: BACKEND, env: { ...process.env, SKILL_ARCADE_HOME: server.data } },
  );
  const answer = await fetch(`${server.url}/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: RESEARCHER }),
  });
  token = ((await answer.json()) as { token: string }).token;
  while (((await describeEpisode()).time_ended ?? null) === null) await setTimeout(250);
}, 600_000);

afterAll(async () => {
  await browser.close();
  await server.stop();
});

interface Description {
  time_ended?: string | null;
  n_frames: number;
  segments: { n_bytes: number }[];
}

async function describeEpisode(): Promise<Description> {
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}/episodes/${episode}/replay`, { headers });
  return (await answer.json()) as Description;
}

/** Opens the replay on a frame. Returns the time from the navigation to the picture. */
async function timeFirstPicture(page: Page, frame: number): Promise<number> {
  await page.goto(`/replay/${episode}?f=${String(frame)}`);
  await page.waitForSelector(`[data-testid="screen"][data-frame="${String(frame)}"]`);
  return page.evaluate(() => (globalThis as unknown as { firstPicture: number }).firstPicture);
}

/** Notes when the first picture is painted, and when the picture of each press is. */
async function observePaints(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const world = Object.assign(globalThis, { firstPicture: NaN, seeks: [] as Seek[] });
    let pressedAt = NaN;
    addEventListener("pointerdown", (event) => (pressedAt = event.timeStamp), { capture: true });
    new MutationObserver(() => {
      const now = performance.now();
      if (Number.isNaN(world.firstPicture)) world.firstPicture = now;
      if (!Number.isNaN(pressedAt)) world.seeks.push({ pressedAt, paintedAt: now });
      pressedAt = NaN;
    }).observe(document, { attributeFilter: ["data-frame"], subtree: true });
  });
}

async function timeSeeks(page: Page): Promise<number[]> {
  const box = await page.getByTestId("slider").boundingBox();
  if (box === null) throw new Error("no slider");
  for (let count = 0; count < plan.seeks; count++) {
    await page.mouse.click(box.x + Math.random() * (box.width - 1), box.y + box.height / 2);
    const frame = await page.getByTestId("slider").getAttribute("aria-valuenow");
    await page.waitForSelector(`[data-testid="screen"][data-frame="${String(frame)}"]`);
  }
  const seeks = await page.evaluate(() => (globalThis as unknown as { seeks: Seek[] }).seeks);
  return seeks.map(({ pressedAt, paintedAt }) => paintedAt - pressedAt);
}

/** Returns the memory of the page in bytes, with typed arrays and canvases' buffers. */
async function readMemory(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { bytes } = await (
      performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> }
    ).measureUserAgentSpecificMemory();
    return bytes;
  });
}

async function timeClip(page: Page, frameCount: number): Promise<number> {
  const first = Math.floor(frameCount / 3);
  const last = Math.min(first + CLIP_FRAMES - 1, frameCount - 1);
  await page.goto(`/replay/${episode}?f=${String(first)}-${String(last)}`);
  await page.waitForSelector(`[data-testid="screen"][data-frame="${String(first)}"]`);
  await page.getByRole("button", { name: "Save a clip" }).click();
  const download = page.waitForEvent("download");
  const start = performance.now();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await download;
  return performance.now() - start;
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[
    Math.min(Math.floor(values.length * share), values.length - 1)
  ] ?? NaN;

test("long replay shows every frame that is asked for, and keeps little in memory", async () => {
  const { n_frames: frameCount, segments } = await describeEpisode();
  const { context, page, errors } = await openVisit(browser, server.url);
  await observePaints(page);
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(RESEARCHER);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.url}/`);
  const cold = await timeFirstPicture(page, Math.floor(frameCount / 2));
  const warm: number[] = [];
  for (let count = 0; count < 5; count++) {
    warm.push(await timeFirstPicture(page, Math.floor((frameCount * (count + 1)) / 7)));
  }
  await page.waitForLoadState("networkidle");
  const seeks = await timeSeeks(page);
  const memory = await readMemory(page);
  const clipMs = await timeClip(page, frameCount);
  const bytes = segments.reduce((sum, { n_bytes: size }) => sum + size, 0);
  const minutes = frameCount / 3600;
  const measures: Measure[] = [
    { name: "frames of the episode", value: frameCount, unit: "", target: "" },
    { name: "first picture, first visit", value: cold, unit: "ms", target: "" },
    { name: "first picture, median of 5", value: quantile(warm, 0.5), unit: "ms", target: "300" },
    { name: "seek, median", value: quantile(seeks, 0.5), unit: "ms", target: "" },
    { name: "seek, 95th percentile", value: quantile(seeks, 0.95), unit: "ms", target: "50" },
    { name: "clip of ten seconds, MP4", value: clipMs, unit: "ms", target: "4000" },
    { name: "memory of the page", value: memory / 1e6, unit: "MB", target: "150" },
    { name: "frames fetched", value: bytes / 1e6 / minutes, unit: "MB/min", target: "1" },
  ];
  if (process.env.REPLAY_RESULT !== undefined) {
    await writeFile(process.env.REPLAY_RESULT, JSON.stringify(measures));
  }
  expect(frameCount).toBe(Math.round(plan.minutes * 3600) + 1);
  expect(seeks.length).toBeGreaterThanOrEqual(plan.seeks - 1);
  expect(memory).toBeLessThan(150e6);
  expect(errors).toEqual([]);
  await context.close();
});
