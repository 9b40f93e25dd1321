// Faults during play: each is reported to the player, and the game resumes where it stopped.
import { execFile } from "node:child_process";
import { readdir, readFile, readlink, rename, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { type TestServer, startServer } from "./support/server";
import {
  saveScreenshot,
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  type Visit,
} from "./support/browser";
import { type Network, openNetwork } from "./support/network";
import { createScenario } from "./support/scenario";
import { watchMotion } from "./support/screen";

const run = promisify(execFile);
const step = createScenario();
/**
 * New games need the disk space that is free at the start minus SPARE_BYTES. A file of FILLER_BYTES
 * leaves less.
 */
const SPARE_BYTES = 2 ** 31;
const FILLER_BYTES = 3 * 2 ** 30;
const TMPFS = 0x01021994;

let server: TestServer;
let canFill: boolean;
let network: Network;
let browser: Browser;
let visit: Visit;

beforeAll(async () => {
  browser = await openBrowser();
  const disk = await statfs(tmpdir());
  const free = disk.bavail * disk.bsize;
  canFill = free > 2 * FILLER_BYTES && disk.type !== TMPFS; // filling a tmpfs would fill the memory
  const least = canFill ? Math.floor((free - SPARE_BYTES) / 2 ** 20) : 1;
  const settings = {
    MAX_UPLOAD_STALL_SECONDS: "2",
    SEGMENT_SECONDS: "1",
    JOURNAL_MIN_FREE_MB: String(least),
  };
  server = await startServer(`${OUTPUT_FOLDER}away.log`, settings, ["--no-lockstep"]);
  network = await openNetwork(server.url, 0);
  visit = await openVisit(browser, network.url);
  const { page } = visit;
  await signIn(page, "away.test@example.org", network.url);
  await page.goto("/play/breakout");
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await reach(page, "playing");
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail" || process.env.PICTURES !== undefined)
    await saveScreenshot(visit.page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  await browser.close();
  network.close();
});

/** Waits for a phase and returns the text of the page at that moment. */
async function reach(page: Page, phase: string): Promise<string> {
  const words = await page.waitForFunction(
    (phase) =>
      document.querySelector(`[data-phase="${phase}"]`) === null
        ? null
        : document.querySelector("main")?.innerText,
    phase,
  );
  if (process.env.PICTURES !== undefined)
    await saveScreenshot(page, `${String(Date.now())}-${phase}`);
  return (await words.jsonValue()) ?? "";
}

async function resume(page: Page): Promise<void> {
  await page.keyboard.press("Enter");
  await reach(page, "playing");
}

step("reconnect after a network cut resumes the game in the same tab", async () => {
  const { page } = visit;
  network.cut(Infinity);
  await reach(page, "reconnecting");
  network.cut(0);
  await reach(page, "paused");
  await resume(page);
});

step("reconnect after a page reload resumes the game", async () => {
  const { page } = visit;
  await page.reload();
  await reach(page, "paused");
  await resume(page);
});

step("opening a second tab takes the game over, and the first tab can take it back", async () => {
  const { page, context } = visit;
  const second = await context.newPage();
  await second.goto("/play/breakout");
  await reach(second, "paused");
  await reach(page, "closed");
  await page.getByRole("button", { name: "Play here" }).click();
  await reach(page, "paused");
  await reach(second, "closed");
  await second.close();
  await resume(page);
});

/** Returns whether `/health/ready` reports a component as ready. */
async function isComponentReady(name: string): Promise<boolean | undefined> {
  const response = await fetch(`${server.url}/health/ready`);
  const { parts } = (await response.json()) as { parts: { name: string; ready: boolean }[] };
  return parts.find((part) => part.name === name)?.ready;
}

step("stalled uploads reject new games and keep running ones", async () => {
  const objects = join(server.data, "objects");
  await rename(objects, `${objects}.away`);
  await writeFile(objects, "");
  await expect.poll(() => isComponentReady("journal"), { timeout: 30_000 }).toBe(false);
  const newcomer = await openVisit(browser, server.url);
  await signIn(newcomer.page, "late.test@example.org", server.url);
  await newcomer.page.goto("/play/breakout");
  await reach(newcomer.page, "closed");
  await newcomer.page.getByRole("button", { name: "Try again" }).waitFor();
  await newcomer.context.close();
  expect((await watchMotion(visit.page, 0.5)).changes).toBeGreaterThan(0);
  await reach(visit.page, "playing");
  await rm(objects);
  await rename(`${objects}.away`, objects);
  // The uploader retries after a few seconds; until then new games are rejected.
  await expect
    .poll(async () => (await fetch(`${server.url}/health/ready`)).status, { timeout: 30_000 })
    .toBe(200);
});

step("low disk space rejects new games and keeps running ones", async ({ skip }) => {
  if (!canFill) skip("the folder of temporary files has too little room, or is in memory");
  const filler = join(server.data, "filler");
  await run("fallocate", ["--length", String(FILLER_BYTES), filler]);
  const newcomer = await openVisit(browser, server.url);
  try {
    await signIn(newcomer.page, "later.test@example.org", server.url);
    await newcomer.page.goto("/play/breakout");
    await reach(newcomer.page, "closed");
    expect((await watchMotion(visit.page, 0.5)).changes).toBeGreaterThan(0);
    await reach(visit.page, "playing");
  } finally {
    await rm(filler);
  }
  await newcomer.page.getByRole("button", { name: "Try again" }).click();
  await reach(newcomer.page, "ready");
  await newcomer.context.close();
});

step("a full disk ends the game and keeps the recorded part", async () => {
  const { page } = visit;
  // A limit on file sizes makes writes fail as a full disk does, and needs no privileges.
  for (const pid of await findGames()) await run("prlimit", ["--pid", pid, "--fsize=4096:"]);
  await reach(page, "closed");
  await expect.poll(newestEpisode, { timeout: 20_000 }).toMatchObject({
    status: "incomplete",
    end_reason: expect.stringMatching(/^(no-room|crashed)$/u) as string,
  });
  expect((await newestEpisode()).n_steps).toBeGreaterThan(0);
  for (const pid of await findGames()) await run("prlimit", ["--pid", pid, "--fsize=unlimited:"]);
  await page.getByRole("button", { name: "Try again" }).click();
  await reach(page, "ready");
  await resume(page);
});

step("a stopping server makes the page reconnect", async () => {
  const stopped = server.stop();
  await reach(visit.page, "reconnecting");
  expect((await stopped).code).toBe(0);
  await reach(visit.page, "reconnecting");
});

/** Returns the game processes that have a file of the journal open. */
async function findGames(): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    if (name.trim() !== "game") continue;
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const links = await Promise.all(
      files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => "")),
    );
    if (links.some((link) => link.startsWith(join(server.data, "journal")))) found.push(pid);
  }
  return found;
}

interface StoredEpisode {
  n_steps: number;
  status: string;
  /** `crashed` if the end could not be written to the full disk and the uploader added it. */
  end_reason: string | null;
}

/** Session token of the player outside of the page; one for all requests, because sign-ins are limited. */
let session: Promise<string> | null = null;

async function requestSession(): Promise<string> {
  const login = await fetch(`${server.url}/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: "away.test@example.org" }),
  });
  return ((await login.json()) as { token: string }).token;
}

/** Returns the newest episode of the signed-in player from the API. */
async function newestEpisode(): Promise<StoredEpisode> {
  session ??= requestSession();
  const headers = { Authorization: `Bearer ${await session}` };
  const listed = await fetch(`${server.url}/me/episodes?limit=1`, { headers });
  const [newest] = (await listed.json()) as StoredEpisode[];
  return newest ?? { n_steps: 0, status: "none", end_reason: null };
}

async function signIn(page: Page, email: string, url: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/`);
}
