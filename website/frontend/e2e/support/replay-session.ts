// Plays games to replay, and reads their frames back with the Python package.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Page } from "playwright-core";

import { OUTPUT_FOLDER } from "./browser";
import { waitForEmulator } from "./emulator";
import { resumeIfPaused } from "./pause";
import { startServer, type TestServer } from "./server";
import { readStartedEpisode } from "./started-episode";

const BACKEND = fileURLToPath(new URL("../../../backend/", import.meta.url));
const PYTHON = `${BACKEND}.venv/bin/python`;
const SCRIPT = fileURLToPath(new URL("../read_frames.py", import.meta.url));
const MODULE = fileURLToPath(new URL("../../../.state/lockstep/lockstep.wasm", import.meta.url));

/** Whether the emulator is built, so that Atari games run in lockstep. */
export const hasLockstep = existsSync(MODULE);

const EMAIL = "watcher@example.org";
export const HANOI = [1, 3, 1, 2, 3, 2, 1, 3, 2, 1, 2, 3, 1, 3];
/** Games by the keys that play them; the first one in lockstep if the emulator is built. */
export const GAMES = {
  breakout: { keys: ["Space", "ArrowRight", "ArrowLeft"], seconds: 14 },
  "ms-pacman": { keys: ["ArrowLeft", "ArrowUp", "ArrowRight"], seconds: 14 },
  resizing: { keys: ["Space"], seconds: 6 },
  "lunar-lander": { keys: ["ArrowLeft", "ArrowUp", "ArrowRight"], seconds: 4 },
  "tower-of-hanoi": { keys: HANOI.map((pole) => `Digit${String(pole)}`), seconds: 0 },
  "minigrid-fetch": { keys: ["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowUp"], seconds: 0 },
} as const;
export type GameId = keyof typeof GAMES;

export interface Recording {
  hashes: string[];
  sizes: [number, number][];
  scores: number[];
  lives: (number | null)[];
  actions: number[];
  times_us: number[];
  infos: unknown[];
  latencies: Record<string, number>;
  mode: string;
  seed: number;
  ghost: { episode: string; seed: "same" | "drawn" } | null;
  branch: Record<string, unknown> | null;
  /** Whether the person acted, at each step; null if no agent did. */
  human_steps: boolean[] | null;
  /** Who acted at each step: 0 the agent, 1 the person, 2 both; null if no agent did. */
  actors: number[] | null;
  /** Why the person took over, each time; null if no agent acted. */
  reasons: (string | null)[] | null;
  /** Whether others could watch when the episode began, and the events about it. */
  watch: boolean;
  watch_events: { kind: string; data: Record<string, unknown> }[];
  /** Time of the paint of each observation that was acted on; null if it was not painted. */
  shown_us: (number | null)[];
  mission: string | null;
  notes: [number, number, string | null, boolean][];
}

export interface ClipReport {
  count: number;
  seconds: number;
  scale: number;
  worst: number;
  mean: number;
}

/** Starts a server with these games only. */
export async function startReplayServer(log: string): Promise<TestServer> {
  const games = join(await mkdtemp(join(tmpdir(), "replay-games-")), "games");
  const ids = Object.keys(GAMES).filter((id) => id !== "resizing");
  const write = `from pathlib import Path; from tests.support.resizing_env import write_catalogue; write_catalogue(Path("${games}"), *${JSON.stringify(ids)})`;
  await promisify(execFile)(PYTHON, ["-c", write], { cwd: BACKEND });
  const settings = { GAMES_FOLDER: games, PYTHONPATH: BACKEND };
  return startServer(`${OUTPUT_FOLDER}${log}.log`, settings, hasLockstep ? [] : ["--no-lockstep"]);
}

/** Runs read_frames.py on the data of this server. */
export async function readBack<T>(server: TestServer, ...args: string[]): Promise<T> {
  return JSON.parse(await runPython(server, [SCRIPT, ...args])) as T;
}

/** Runs a statement on the database of this server. */
export async function runSql(server: TestServer, statement: string): Promise<void> {
  await runPython(server, ["-m", "skill_arcade", "psql", "-v", "ON_ERROR_STOP=1", "-c", statement]);
}

async function runPython(server: TestServer, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(PYTHON, args, {
    cwd: server.data,
    env: {
      ...process.env,
      DATABASE_URL: undefined,
      SKILL_ARCADE_HOME: server.data,
      PYTHONPATH: BACKEND,
    },
    maxBuffer: 64 << 20,
  });
  return stdout;
}

export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/`);
}

export async function waitForFrame(page: Page, frame: number): Promise<void> {
  await page.waitForSelector(`[data-testid="screen"][data-frame="${String(frame)}"]`);
}

type Game = (typeof GAMES)[GameId];

/** Plays these games one after the other. Returns their episodes. */
export async function playGames(
  page: Page,
  url: string,
  games: Partial<typeof GAMES>,
): Promise<Map<GameId, string>> {
  const episodes = new Map<GameId, string>();
  for (const [id, { keys, seconds }] of Object.entries(games) as [GameId, Game][]) {
    const started = readStartedEpisode(page);
    await page.goto(`/play/${id}`);
    await page.waitForSelector('[data-phase="ready"]');
    if (id === "breakout" && hasLockstep) await waitForEmulator(page);
    await page.keyboard.press("Enter");
    await page.waitForSelector(':is([data-phase="playing"], [data-phase="ended"])');
    episodes.set(id, await started);
    const end = Date.now() + 1000 * seconds;
    do {
      for (const key of keys) await page.keyboard.press(key, { delay: seconds > 0 ? 180 : 30 });
      await resumeIfPaused(page);
    } while (Date.now() < end && (await page.locator('[data-phase="ended"]').count()) === 0);
    if (id === "tower-of-hanoi") continue;
    // A paused game has a second button of this name.
    const quit = page.getByRole("banner").getByRole("button", { name: "Quit", exact: true });
    if ((await page.locator('[data-phase="ended"]').count()) > 0) continue;
    await quit.click();
    await page.waitForURL(`${url}/`);
  }
  return episodes;
}
