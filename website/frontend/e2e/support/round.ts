// One round of Breakout: its start, presses, its end, and what was recorded of it.
import type { Page } from "playwright-core";

import { resumeIfPaused } from "./pause";
import { readBack, type Recording } from "./replay-session";
import type { TestServer } from "./server";
import { readStartedEpisode } from "./started-episode";

const KEYS = ["Space", "ArrowRight", "ArrowLeft"];

/** Reloads the page of a game and starts a round. Returns its id. */
export async function startRound(page: Page): Promise<string> {
  const started = readStartedEpisode(page);
  await page.reload();
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  return started;
}

/** Presses the keys of Breakout for a time, or until the round is over. */
export async function press(page: Page, seconds: number): Promise<void> {
  const end = Date.now() + 1000 * seconds;
  do {
    for (const key of KEYS) await page.keyboard.press(key, { delay: 120 });
    await resumeIfPaused(page);
  } while (Date.now() < end && (await page.locator('[data-phase="ended"]').count()) === 0);
}

export async function quit(page: Page, url: string): Promise<void> {
  if ((await page.locator('[data-phase="ended"]').count()) > 0) return;
  await page.getByRole("banner").getByRole("button", { name: "Quit", exact: true }).click();
  await page.waitForURL(`${url}/`);
}

/** Plays a round. Returns its id and what was recorded of it. */
export async function playRound(
  page: Page,
  server: TestServer,
  path: string,
  seconds: number,
): Promise<[string, Recording]> {
  await page.goto(path);
  const episode = await startRound(page);
  await press(page, seconds);
  await quit(page, server.url);
  return [episode, await readBack<Recording>(server, "frames", episode)];
}
