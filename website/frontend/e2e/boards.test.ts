// A player plays, opts in to leaderboards, takes a place, has their replay watched from it by a
// stranger, plays the daily challenge, and opts out again.
import type { BrowserContextOptions, Page } from "playwright-core";
import { beforeAll, expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { openVisit, OUTPUT_FOLDER, type Visit } from "./support/browser";
import { findOverflows } from "./support/overflow";
import { HANOI, waitForFrame } from "./support/replay-session";
import { createScenario } from "./support/scenario";
import { signIn } from "./support/sign-in";
import { openSuite } from "./support/suite";

const step = createScenario(300_000);
const GAME = "tower-of-hanoi";
const BOARD = `/boards/${GAME}`;
const EMAIL = "ranked@example.org";
const NAME = "Ada L-1815";
/** Time within which an episode must rank after its end. */
const MAX_RANK_MS = 60_000;
const SHAPES = {
  "390-light": { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true },
  "390-dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true },
  "1280-light": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  "1280-dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
} satisfies Record<string, BrowserContextOptions>;

const suite = openSuite("boards", { settings: { DAILY_GAMES: GAME } });
let stranger: Visit;
let replayUrl = "";

beforeAll(async () => {
  stranger = await openVisit(suite.browser, suite.server.url);
});

/** Plays the open game to its end. */
async function playToEnd(page: Page): Promise<void> {
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const pole of HANOI) await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
  await page.waitForSelector('[data-phase="ended"]');
}

/** Opens the account page, and waits for the history above the form, which moves it. */
async function openAccount(page: Page): Promise<void> {
  await page.goto("/you");
  await page.getByRole("heading", { name: "All rounds" }).waitFor();
  await page.getByRole("link", { name: "Watch replay" }).first().waitFor();
}

async function optIn(page: Page, name: string): Promise<void> {
  await openAccount(page);
  await page.getByLabel("Name on leaderboards").fill(name);
  await page.getByRole("button", { name: "Opt in" }).click();
  await page.getByRole("button", { name: "Opt out" }).waitFor();
}

step("a finished round of a player who has not opted in is on no board", async () => {
  const { page } = suite.visit;
  await signIn(page, EMAIL);
  await page.goto(`/play/${GAME}`);
  await playToEnd(page);
  await page.getByRole("link", { name: "Put your scores on the leaderboards" }).waitFor();
  await page.goto(BOARD);
  await page.getByRole("heading", { name: "Nobody ranks yet" }).waitFor();
  expect(await findAccessibilityFaults(page)).toEqual([]);
});

step("a name that is reserved is rejected and another one is taken", async () => {
  const { page } = suite.visit;
  await openAccount(page);
  await page.getByLabel("Name on leaderboards").fill("4dmin");
  await page.getByRole("button", { name: "Opt in" }).click();
  await page.getByRole("alert").waitFor();
  await optIn(page, NAME);
  expect(await findAccessibilityFaults(page)).toEqual([]);
});

step("a round played after it ranks within a minute and says its place", async () => {
  const { page } = suite.visit;
  await page.goto(`/play/${GAME}`);
  await playToEnd(page);
  const ended = Date.now();
  const place = page.getByTestId("episode-rank").getByRole("link");
  await place.filter({ hasText: /You are 1st|stays on the leaderboard/ }).waitFor();
  const took = Date.now() - ended;
  console.log(`ranked ${String(took)} ms after the end`);
  expect(took).toBeLessThan(MAX_RANK_MS);
  await place.click();
  await page.waitForURL((url) => url.pathname === BOARD);
  expect(await page.getByTestId("own-row").textContent()).toContain(NAME);
});

step("a stranger opens the replay of an entry from the board", async () => {
  const { page } = stranger;
  await page.goto(BOARD);
  await page.getByRole("link", { name: `Watch the replay of ${NAME}` }).click();
  await waitForFrame(page, 0);
  replayUrl = page.url();
  await page.keyboard.press("End");
  await page.waitForFunction(
    () => Number(document.querySelector<HTMLElement>('[data-testid="screen"]')?.dataset.frame) > 0,
  );
  const about = (await page.getByLabel("Provenance").textContent()) ?? "";
  expect(about).not.toContain("Chrome");
  expect(stranger.errors).toEqual([]);
});

step("the daily challenge is played once, and the page never learns the seed", async () => {
  const { page } = suite.visit;
  const received: string[] = [];
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      if (typeof payload === "string") received.push(payload);
    }),
  );
  await page.goto("/");
  await page.getByRole("link", { name: "Play today’s challenge" }).click();
  await page.getByText("you have one try").waitFor();
  await playToEnd(page);
  expect(received.some((text) => text.includes('"started"'))).toBe(true);
  expect(received.filter((text) => text.includes("seed"))).toEqual([]);
  // Neither Enter nor a button starts another one.
  expect(await page.getByRole("button", { name: "Play again" }).count()).toBe(0);
  await page
    .getByTestId("episode-rank")
    .getByRole("link", { name: "You are 1st in today’s challenge" })
    .click();
  await page.waitForURL(`${suite.server.url}/daily`);
  await page.getByTestId("own-row").waitFor();
  await page.getByRole("button", { name: "Copy result to share" }).waitFor();
  const [day] = /\d{4}-\d{2}-\d{2}/.exec((await page.textContent("main")) ?? "") ?? [""];
  await page.goto(`/play/${GAME}?daily=${day}`);
  await page.getByRole("main").getByText("You have had your try today").waitFor();
  const dailyRow = stranger.page.getByRole("row", { name: NAME });
  await stranger.page.goto("/daily");
  await dailyRow.waitFor();
  expect(await dailyRow.getByRole("link").count()).toBe(0);
});

for (const [name, shape] of Object.entries(SHAPES)) {
  step(`pages at ${name} have no faults`, async () => {
    const context = await suite.browser.newContext({
      ...shape,
      baseURL: suite.server.url,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    const found: Record<string, string[]> = {};
    await signIn(page, EMAIL);
    const places = {
      home: ["/", page.getByRole("heading", { name: /Daily challenge/ })],
      list: ["/boards", page.getByRole("link", { name: /Tower of Hanoi.*Disks 3/ })],
      board: [`${BOARD}?season=all`, page.getByTestId("own-row")],
      empty: ["/boards/frozen-lake", page.getByRole("heading", { name: "Nobody ranks yet" })],
      daily: ["/daily", page.getByTestId("own-row")],
      you: ["/you", page.getByRole("button", { name: "Opt out" })],
    } as const;
    for (const [place, [path, awaited]] of Object.entries(places)) {
      await page.goto(path);
      await awaited.waitFor();
      if (place === "daily") await page.getByText("How the seed is kept fair").click();
      if (place === "you") await awaited.scrollIntoViewIfNeeded();
      const faults = [...(await findAccessibilityFaults(page)), ...(await findOverflows(page))];
      if (faults.length > 0) found[place] = faults;
      await page.screenshot({ path: `${OUTPUT_FOLDER}boards-${name}-${place}.png` });
    }
    expect(found, JSON.stringify(found)).toEqual({});
    await context.close();
  });
}

step("opting out removes the player from boards and closes the replay", async () => {
  const { page } = suite.visit;
  await openAccount(page);
  await page.getByRole("button", { name: "Opt out" }).click();
  await page.getByRole("button", { name: "Opt in" }).waitFor();
  for (const path of [BOARD, `${BOARD}?season=all`, "/daily"]) {
    await stranger.page.goto(path);
    await stranger.page.getByRole("heading", { name: "Nobody ranks yet" }).waitFor();
  }
  await stranger.page.goto(replayUrl);
  await stranger.page.waitForURL((url) => url.pathname === "/sign-in");
});
