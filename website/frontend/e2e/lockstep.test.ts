// Breakout in lockstep over a slow network: input latency is that of a local game, and the server
// records every frame.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect } from "vitest";

import { type TestServer, startServer } from "./support/server";
import {
  saveScreenshot,
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  type Visit,
} from "./support/browser";
import { type Network, openNetwork } from "./support/network";
import { waitForEmulator, countLoadedEmulators } from "./support/emulator";
import { shouldSkip } from "../tests/support/prerequisites";
import { resumeIfPaused } from "./support/pause";
import { createScenario } from "./support/scenario";
import { type RecordedEpisode, readRecordings } from "./support/recordings";
import { findPaddle, hashScreen, timePress } from "./support/screen";

const MODULE = fileURLToPath(new URL("../../.state/lockstep/lockstep.wasm", import.meta.url));
const ROUND_TRIP_MS = 150;
const LOSS = 0.01;
const step = createScenario();

let server: TestServer;
let network: Network;
let browser: Browser;
let visit: Visit;
const sent: Record<string, number> = {};
const received: Record<string, number> = {};

const reason = existsSync(MODULE) ? null : "the module is not built: run website/lockstep/build";

beforeAll(async () => {
  if (reason !== null) return;
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}lockstep.log`);
  network = await openNetwork(server.url, ROUND_TRIP_MS, LOSS);
  visit = await openVisit(browser, network.url);
  await countLoadedEmulators(visit.page);
  count(visit.page);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    await saveScreenshot(visit.page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  if (reason !== null) return;
  await browser.close();
  network.close();
  await server.stop();
});

/** The preview before an episode is not one of its frames (SPEC, O10). */
const kindOf = (packet: Buffer): string => (((packet[1] ?? 0) & 32) === 0 ? "frame" : "ahead");

/** Counts the messages of each type. */
function count(page: Page): void {
  const countMessage = (into: Record<string, number>, payload: string | Buffer): void => {
    const kind =
      typeof payload === "string"
        ? (JSON.parse(payload) as { type: string }).type
        : kindOf(payload);
    into[kind] = (into[kind] ?? 0) + 1;
  };
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => countMessage(sent, payload));
    socket.on("framereceived", ({ payload }) => countMessage(received, payload));
  });
}

async function signIn(): Promise<void> {
  const { page } = visit;
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill("Lockstep.Test@example.org");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${network.url}/`);
}

async function startGame(): Promise<void> {
  const { page } = visit;
  await page.goto("/play/breakout");
  await page.waitForSelector('[data-phase="ready"]');
  await waitForEmulator(page);
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
}

async function leave(): Promise<void> {
  await visit.page.getByRole("button", { name: "Quit", exact: true }).click();
  await visit.page.waitForURL(`${network.url}/`);
}

describe.skipIf(shouldSkip(reason))(`lockstep${reason ? ` (${reason})` : ""}`, () => {
  step(
    "lockstep with a 150 ms round trip answers keys without waiting for the network",
    async () => {
      const { page } = visit;
      await signIn();
      await startGame();
      await page.waitForSelector('[data-testid="mode"][data-stepped-by="page"]');
      const times: number[] = [];
      for (let turn = 0; turn < 12; turn++) {
        times.push(await timePress(page, turn % 2 === 0 ? "ArrowRight" : "ArrowLeft"));
      }
      expect(times.sort((a, b) => a - b)[6]).toBeLessThan(ROUND_TRIP_MS);
      expect(received.frame ?? 0).toBe(0);
      expect(sent.ticks).toBeGreaterThan(10);
    },
  );

  step("lockstep continues without a connection until the reconnect", async () => {
    const { page } = visit;
    const sockets: string[] = [];
    page.on("websocket", (socket) => sockets.push(socket.url()));
    network.cut(3000);
    const right = await page.keyboard
      .press("ArrowRight", { delay: 1200 })
      .then(() => findPaddle(page));
    const left = await page.keyboard
      .press("ArrowLeft", { delay: 1200 })
      .then(() => findPaddle(page));
    expect(right - left).toBeGreaterThan(60);
    await page.waitForSelector('[data-phase="playing"]');
    await expect.poll(() => sockets.length).toBeGreaterThan(0);
    await page.keyboard.press("ArrowRight", { delay: 500 });
    await leave();
  });

  step("lockstep recording equals a re-run, frame for frame", async () => {
    const [episode] = await readRecordings(server.data, 1);
    check(episode);
    expect(episode?.end_reason).toBe("left");
    expect(episode?.n_shown).toBeGreaterThan(0.6 * (episode?.actions.length ?? 0));
  });

  step("lockstep episode played to its end has the last picture in its recording", async () => {
    const { page } = visit;
    await startGame();
    const ending = page.locator('[data-testid="ending"]');
    while ((await ending.count()) === 0) {
      await page.keyboard.press("Space", { delay: 80 });
      await resumeIfPaused(page);
    }
    const picture = await hashScreen(page);
    const episode = (await readRecordings(server.data, 2))[1];
    check(episode);
    expect(episode?.end_reason).toBe("terminated");
    expect(episode?.last_frame_sha256).toBe(picture);
  });

  step(
    "lockstep with forged digests ends as diverged, and the next episode is streamed",
    async () => {
      const { page } = visit;
      // A manipulated page that reports a false result.
      await page.addInitScript(() => {
        const honest = JSON.stringify.bind(JSON);
        JSON.stringify = (value: unknown): string => {
          const ticks = value as { type?: string; first: number; digests: number[] } | null;
          if (ticks?.type !== "ticks" || ticks.first < 120) return honest(value);
          return honest({ ...ticks, digests: ticks.digests.map((digest) => (digest ^ 1) >>> 0) });
        };
      });
      await startGame();
      await page.waitForSelector('[data-testid="ending"]');
      const episode = (await readRecordings(server.data, 3))[2];
      expect(episode?.end_reason).toBe("diverged");
      check(episode);
      await page.keyboard.press("Enter");
      await page.waitForSelector('[data-phase="playing"]');
      await expect.poll(() => received.frame ?? 0).toBeGreaterThan(30);
      await page.waitForSelector('[data-testid="mode"][data-stepped-by="server"]');
      await leave();
    },
  );

  step("the page reports no errors", () => {
    const unexpectedErrors = visit.errors.filter(
      (problem) => !problem.includes("ERR_") && !problem.includes("WebSocket"),
    );
    expect(unexpectedErrors).toEqual([]);
  });
});

function check(episode: RecordedEpisode | undefined): void {
  expect(episode).toMatchObject({
    game: "breakout",
    mode: "lockstep",
    differing_frames: 0,
    differing_rewards: 0,
    verdict: "certified",
  });
  expect(episode?.n_frames).toBe((episode?.actions.length ?? 0) + 1);
}
