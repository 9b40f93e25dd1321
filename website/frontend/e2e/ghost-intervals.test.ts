// Frame intervals of Breakout without a ghost, with a hidden one and with one that is shown. The test
// is short and checks counts; `python -m benchmarks ghost` measures longer rounds (GHOST_PLAN).
import { writeFile } from "node:fs/promises";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { openBrowser, openVisit, OUTPUT_FOLDER } from "./support/browser";
import { readBack, type Recording, signIn } from "./support/replay-session";
import { playRound, press, quit, startRound } from "./support/round";
import { startServer, type TestServer } from "./support/server";

const KINDS = ["none", "hidden", "shown"] as const;
type Kind = (typeof KINDS)[number];

interface Plan {
  /** Seconds of each round. */
  seconds: number;
  /** Rounds of each kind. */
  repeats: number;
}

const plan = process.env.GHOST_PLAN ?? '{"seconds": 2, "repeats": 1}';
const { seconds, repeats } = JSON.parse(plan) as Plan;
// The order alternates, because the load of the machine changes meanwhile.
const ORDER = Array.from({ length: repeats }).flatMap((_, index) =>
  index % 2 === 0 ? KINDS : KINDS.toReversed(),
);

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}ghost-intervals.log`, {}, ["--no-lockstep"]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Returns the times in ms between the pictures that were painted. */
function intervalsOf({ shown_us: times }: Recording): number[] {
  const painted = times.flatMap((at) => (at === null ? [] : [at / 1000]));
  return painted.slice(1).map((at, index) => at - (painted[index] ?? at));
}

async function playKind(page: Page, kind: Kind, raced: string): Promise<number[]> {
  await page.goto(kind === "none" ? "/play/breakout" : `/play/breakout?ghost=${raced}`);
  const episode = await startRound(page);
  if (kind === "hidden") await page.getByRole("button", { name: "Hide ghost" }).click();
  await press(page, seconds);
  await quit(page, server.url);
  return intervalsOf(await readBack<Recording>(server, "frames", episode));
}

test("rounds without, with a hidden and with a shown ghost all paint", async () => {
  const { page } = await openVisit(browser, server.url);
  await signIn(page, server.url);
  const [raced] = await playRound(page, server, "/play/breakout", seconds);
  const intervals: Record<Kind, number[]> = { none: [], hidden: [], shown: [] };
  for (const kind of ORDER) intervals[kind].push(...(await playKind(page, kind, raced)));
  if (process.env.GHOST_RESULT !== undefined)
    await writeFile(process.env.GHOST_RESULT, JSON.stringify(intervals));
  for (const kind of KINDS) expect(intervals[kind].length).toBeGreaterThan(10 * seconds);
});
