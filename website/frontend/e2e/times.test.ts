// Checks recorded paint and input times against an observer in the page, over a delaying network.
import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type TestServer, startServer } from "./support/server";
import { openBrowser, openVisit, OUTPUT_FOLDER } from "./support/browser";
import { openNetwork } from "./support/network";
import {
  startObserving,
  firstSampleTimes,
  framesAt,
  collectObservations,
  type Observations,
} from "./support/paint-observer";

const BACKEND = fileURLToPath(new URL("../../backend", import.meta.url));
const PYTHON = join(BACKEND, ".venv/bin/python");
const READ = fileURLToPath(new URL("./read_times.py", import.meta.url));
const TAPS = 40;

interface RecordedTimes {
  shown: Record<string, number>;
  taps: [number, number][];
  acted: number[];
  placed: number[];
  stated: number[];
  player: { isolated: boolean; refresh_hz: number | null };
  events: string[];
}

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
  const games = join(await mkdtemp(join(tmpdir(), "self-describing-")), "games");
  const write = `from pathlib import Path; from tests.support.self_describing_env import write_catalogue; write_catalogue(Path("${games}"))`;
  await promisify(execFile)(PYTHON, ["-c", write], { cwd: BACKEND });
  server = await startServer(`${OUTPUT_FOLDER}times.log`, {
    GAMES_FOLDER: games,
    PYTHONPATH: BACKEND,
  });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Result of a game over a network. */
interface Played {
  episode: string;
  /** Observations of the paint observer. */
  observations: Observations;
  /** Zero of the page's clock, as time on the server's clock since the start of the game. */
  zeroUs: number;
}

async function play(roundTrip: number, loss: number): Promise<Played> {
  const network = await openNetwork(server.url, roundTrip, loss);
  const { context, page } = await openVisit(browser, network.url);
  let started = { episode: "", server_us: 0 };
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      if (typeof payload !== "string") return;
      const message = JSON.parse(payload) as typeof started & { type: string };
      if (message.type === "started") started = message;
    });
  });
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(`times.${String(roundTrip)}@example.org`);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${network.url}/`);
  await page.goto("/play/self-describing");
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  await startObserving(page);
  for (let tap = 0; tap < TAPS; tap++) {
    await page.waitForTimeout(40 + ((tap * 37) % 110));
    await page.keyboard.press("Space", { delay: 5 });
  }
  await page.waitForTimeout(1200);
  const observations = await collectObservations(page);
  // From Chromium: zero of the page's clock on the monotonic clock of the machine.
  const tools = await context.newCDPSession(page);
  await tools.send("Performance.enable");
  const { metrics } = await tools.send("Performance.getMetrics");
  const zero = metrics.find(({ name }) => name === "NavigationStart")?.value ?? NaN;
  await page.getByRole("button", { name: "Quit", exact: true }).click();
  await page.waitForURL(`${network.url}/`);
  await context.close();
  network.close();
  return { episode: started.episode, observations, zeroUs: zero * 1e6 - started.server_us };
}

async function readTimes(episode: string): Promise<RecordedTimes> {
  const env = { ...process.env, DATABASE_URL: undefined, SKILL_ARCADE_HOME: server.data };
  const { stdout } = await promisify(execFile)(PYTHON, [READ, episode], { cwd: server.data, env });
  return JSON.parse(stdout) as RecordedTimes;
}

test.each([
  [0, 0],
  [50, 0],
  [150, 0.01],
])(
  "paint and input times with a %d ms round trip and %d loss are recorded correctly",
  async (roundTrip, loss) => {
    const { episode, observations, zeroUs } = await play(roundTrip, loss);
    const { samples, presses } = observations;
    const recorded = await readTimes(episode);
    const seen = [...firstSampleTimes(samples)];
    const wrongPaints = seen.filter(
      ([frame, at]) => Math.abs((recorded.shown[frame] ?? 0) - at) > 1,
    );
    const known = presses.map((at) => [Math.round(at * 1000), framesAt(samples, at)] as const);
    const wrongTaps = known.filter(([at, frames], index) => {
      const [recordedAt, recordedFrame] = recorded.taps[index] ?? [0, -1];
      return Math.abs(recordedAt - at) > 1 || (frames !== null && !frames.includes(recordedFrame));
    });
    const wrongUs = recorded.taps.map(([at], index) =>
      Math.abs((recorded.placed[index] ?? 0) - zeroUs - at),
    );
    console.log({
      roundTrip,
      loss,
      painted: seen.length,
      wrongPaints: wrongPaints.length,
      taps: presses.length,
      tapsWithOneAnswer: known.filter(([, frames]) => frames?.length === 1).length,
      onRecord: recorded.taps.length,
      wrongTaps: wrongTaps.length,
      acted: recorded.acted.length,
      clockErrorMaxMs: Math.max(...wrongUs) / 1000,
      statedMaxMs: Math.max(...recorded.stated) / 1000,
      refreshHz: recorded.player.refresh_hz,
    });
    expect(seen.length).toBeGreaterThan(50);
    expect(wrongPaints).toEqual([]);
    expect(wrongTaps).toEqual([]);
    expect([presses.length, recorded.taps.length, recorded.acted.length]).toEqual([
      TAPS,
      TAPS,
      TAPS,
    ]);
    expect(wrongUs.filter((wrong, index) => wrong > (recorded.stated[index] ?? 0) + 20)).toEqual(
      [],
    );
    expect(recorded.player.isolated).toBe(true);
  },
);
