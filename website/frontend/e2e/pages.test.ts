// All pages and states of a game: accessibility, overflow, and operation by keyboard.
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { type TestServer, startServer } from "./support/server";
import { findAccessibilityFaults } from "./support/accessibility";
import { openBrowser, OUTPUT_FOLDER } from "./support/browser";
import { findOverflows } from "./support/overflow";

// Shortest path around the cliff, which wins.
const ROUND = ["ArrowUp", ...Array<string>(11).fill("ArrowRight"), "ArrowDown"];
const SHAPES = {
  "390 px, light": { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true },
  "1280 px, dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
} satisfies Record<string, BrowserContextOptions>;
/** 1280 px at 200 %: by browser zoom, and by text size alone. */
const LARGE = {
  "the page at 200 %": { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
  "letters at 200 %": { viewport: { width: 1280, height: 800 } },
} satisfies Record<string, BrowserContextOptions>;
const RESEARCHER = "researcher@example.org";

/** More games than the catalogue has. */
const LARGE_LIBRARY = 300;

let server: TestServer;
let browser: Browser;

beforeAll(async () => {
  browser = await openBrowser();
  const settings = { RESEARCHER_EMAILS: RESEARCHER };
  server = await startServer(`${OUTPUT_FOLDER}axe.log`, settings, ["--no-lockstep"]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

test.each(Object.entries(SHAPES))(
  "accessibility check of all pages at %s finds no faults",
  async (_, shape) => {
    const context = await browser.newContext({
      ...shape,
      baseURL: server.url,
      reducedMotion: "reduce",
    });
    const found = await walk(await context.newPage(), findAccessibilityFaults);
    expect(found, JSON.stringify(found)).toEqual({});
    await context.close();
  },
);

test("pages in German at 390 px cut nothing off and have no accessibility faults", async () => {
  const context = await browser.newContext({
    ...SHAPES["390 px, light"],
    baseURL: server.url,
    locale: "de-DE",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const found: Record<string, string[]> = {};
  const look = async (path: string, text: string) => {
    await page.goto(path);
    await page.getByText(text).first().waitFor();
    await page.waitForLoadState("networkidle"); // axe is misled by content that moves while it measures
    const faults = [...(await findOverflows(page)), ...(await findAccessibilityFaults(page))];
    if (faults.length > 0) found[path] = faults;
  };
  await look("/", "Überraschen Sie mich");
  await look("/boards", "Bestenlisten");
  await look("/daily", "Alle Bestenlisten");
  await look("/nowhere", "Seite nicht gefunden");
  await look("/sign-in", "Melden Sie sich an");
  expect(await page.locator("html").getAttribute("lang")).toBe("de");
  await page.getByLabel("E-Mail").fill("german@example.org");
  await page.getByRole("button", { name: "Anmelden" }).click();
  await page.waitForURL(`${server.url}/`);
  await look("/you", "Konto löschen");
  await look("/agents", "Wählt jede Aktion mit gleicher Wahrscheinlichkeit.");
  await look("/agents/pong-follower", "Er hat noch keine Runde beendet.");
  await look("/play/breakout", "So wird gespielt");
  await look("/research", "Für Forschende");
  await page.getByLabel("Sprache").selectOption("en");
  await page.getByText("For researchers").first().waitFor();
  await page.goto("/");
  await page.getByText("Surprise me").waitFor();
  expect(found, JSON.stringify(found)).toEqual({});
  await context.close();
});

test.each(Object.entries(LARGE))(
  "layout of all pages with %s cuts nothing off",
  async (name, shape) => {
    const context = await browser.newContext({
      ...shape,
      baseURL: server.url,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    const letters = name.startsWith("letters");
    if (letters) {
      await page.addInitScript(() => {
        addEventListener("DOMContentLoaded", () => {
          document.documentElement.style.fontSize = "200%";
        });
      });
    }
    const found = await walk(page, findOverflows, !letters);
    expect(found, JSON.stringify(found)).toEqual({});
    await context.close();
  },
);

/** Returns the findings of `find` by page and state. Those without findings are left out. */
async function walk(
  page: Page,
  find: (page: Page) => Promise<string[]>,
  includesErrors = true,
): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  const look = async (state: string) => {
    const faults = await find(page);
    if (faults.length > 0) found[state] = faults;
  };
  await page.goto("/");
  await page
    .getByRole("link", { name: /Breakout/ })
    .first()
    .waitFor();
  await look("library");
  await page.getByLabel("Find a game").fill("zzz");
  await page.getByRole("button", { name: "Show all games" }).waitFor();
  await look("nothing found");
  await page.goto("/nowhere");
  await page.getByRole("link", { name: "All games", exact: true }).waitFor();
  await look("not found");
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").waitFor();
  await look("sign-in");
  await page.getByLabel("E-mail").fill(RESEARCHER);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.url}/`);
  await lookAtGame(page, look);
  const rounds = page.getByRole("heading", { name: "All rounds" });
  const none = page.getByRole("heading", { name: "No games yet" });
  // An episode is listed once it is uploaded.
  await expect
    .poll(async () => {
      await page.goto("/you");
      await rounds.or(none).first().waitFor();
      return rounds.count();
    })
    .toBe(1);
  await look("you");
  await page.getByRole("link", { name: "Agents" }).click();
  await page.getByRole("link", { name: "pong-follower" }).waitFor();
  await look("agents");
  await page.getByRole("link", { name: "pong-follower" }).click();
  await page.getByRole("heading", { name: "What plays" }).waitFor();
  await look("agent");
  await page.goto("/research");
  await page.getByRole("heading", { name: "Research" }).waitFor();
  await look("research");
  await page.goto("/research?view=download");
  await page.getByRole("heading", { name: "Download recordings" }).waitFor();
  await look("research download");
  if (includesErrors) await visitErrorStates(page, look);
  return found;
}

/** Returns the findings on the same pages while their requests fail. */
async function visitErrorStates(page: Page, look: (state: string) => Promise<void>): Promise<void> {
  const silent = async (pattern: string | RegExp, path: string, sign: Locator, state: string) => {
    await page.route(pattern, (route) => route.abort());
    await page.goto(path);
    await sign.waitFor();
    await look(state);
    await page.unroute(pattern);
  };
  const alert = page.getByRole("alert");
  await silent("**/games", "/", alert, "library without an answer");
  await silent("**/me/summary", "/you", alert, "you without an answer");
  await silent(
    "**/research/games",
    "/research?view=download",
    alert.first(),
    "download without an answer",
  );
  await silent("**/players/agents", "/agents", alert, "agents without an answer");
  await silent("**/players/agents/*", "/agents/random", alert, "agent without an answer");
  await silent("**/research/charts/*", "/research", alert.first(), "charts without an answer");
  await silent("**/games/breakout", "/play/breakout", alert, "game without an answer");
  const broken = page.locator('[data-phase="reconnecting"]');
  await silent(/\/play\/tickets/, "/play/breakout", broken, "machine without an answer");
  await page.goto("/play/no-such-game");
  await alert.getByRole("heading", { name: "Game not available" }).waitFor();
  await look("no such game");
}

async function lookAtGame(page: Page, look: (state: string) => Promise<void>): Promise<void> {
  await page.goto("/play/breakout");
  await page.waitForSelector('[data-phase="ready"]');
  await look("ready");
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForSelector('[data-phase="countdown"]');
  await look("countdown");
  await page.waitForSelector('[data-phase="playing"]');
  await look("playing");
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.waitForSelector('[data-phase="paused"]');
  await look("paused");
  await page.goto("/play/cliff-walking");
  await page.waitForSelector('[data-phase="ready"]');
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForSelector('[data-phase="playing"]');
  for (const key of ROUND) await page.keyboard.press(key, { delay: 25 });
  await page.waitForSelector('[data-phase="ended"]');
  await look("ended");
}

test("library with 300 games loads only visible covers and reuses cards while searching", async () => {
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 },
    baseURL: server.url,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const pictures: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/cover")) pictures.push(request.url());
  });
  await page.route("**/games", async (route) => {
    const games = (await (await route.fetch()).json()) as { id: string; name: string }[];
    const more = games
      .slice(0, LARGE_LIBRARY - games.length)
      .map((game) => ({ ...game, id: `${game.id}-copy` }));
    await route.fulfill({ json: [...games, ...more] });
  });
  await page.goto("/");
  const cards = page.locator('li > a[href^="/play/"]');
  await expect.poll(() => cards.count()).toBe(LARGE_LIBRARY);
  await page.waitForLoadState("networkidle");
  expect(pictures.length).toBeLessThan(40);
  const drawn = await cards
    .locator("h3")
    .evaluateAll(
      (titles) =>
        titles.filter((title) => title.checkVisibility({ contentVisibilityAuto: true })).length,
    );
  expect(drawn).toBeLessThan(40);

  await page.evaluate(() => {
    const seen = { fresh: [] as string[] };
    Object.assign(window, { seen });
    const known = new WeakSet<Node>(document.querySelectorAll("li"));
    new MutationObserver((changes) => {
      for (const node of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
        if (node.nodeName === "LI" && !known.has(node)) seen.fresh.push(node.textContent ?? "");
        known.add(node);
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  const made = () =>
    page.evaluate(() => (window as unknown as { seen: { fresh: string[] } }).seen.fresh.splice(0));
  const find = page.getByRole("searchbox");
  await find.press("m");
  await expect.poll(() => cards.count()).toBeLessThan(LARGE_LIBRARY);
  // Only the games of the featured row move into the remaining row.
  expect((await made()).length).toBeLessThanOrEqual(24);
  await find.pressSequentially("aze");
  await page.getByRole("link", { name: /Breakout/ }).waitFor({ state: "detached" });
  expect(await made()).toEqual([]);
  await context.close();
});

test("keyboard navigation finds, plays and leaves a game, and preferences persist", async () => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    baseURL: server.url,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const { keyboard } = page;
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").focus();
  await keyboard.type("keys@example.org");
  await keyboard.press("Enter");
  await page.waitForURL(`${server.url}/`);

  const find = page.getByRole("searchbox");
  await find.focus();
  await keyboard.type("cliff");
  const star = page.getByRole("button", { name: "Cliff Walking is a favourite" });
  await star.focus();
  await keyboard.press("Enter");
  await expect.poll(() => star.first().getAttribute("aria-pressed")).toBe("true");
  await page.reload();
  await page.getByRole("heading", { name: "Favourites" }).waitFor();

  const cards = page.locator('li > a[href^="/play/"]');
  await cards.first().focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("href") ?? "");
  const first = await focused();
  await keyboard.press("ArrowDown");
  await expect.poll(focused).not.toBe(first);
  await keyboard.press("ArrowUp");
  await expect.poll(focused).toBe(first);
  await keyboard.press("Enter");
  await page.waitForSelector('[data-phase="ready"]');
  expect(page.url()).toContain("/play/cliff-walking");
  await keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  for (const key of ROUND) await keyboard.press(key, { delay: 25 });
  await page.waitForSelector('[data-phase="ended"]');
  await page.getByRole("link", { name: "All games", exact: true }).first().focus();
  await keyboard.press("Enter");
  await page.waitForURL(`${server.url}/`);

  await page.goto("/play/breakout");
  await page.getByTestId("gauge").waitFor();
  await page.getByLabel("Show latency and FPS").focus();
  const saved = page.waitForResponse((answer) => answer.url().endsWith("/me/preferences"));
  await keyboard.press("Space");
  await expect.poll(() => page.getByTestId("gauge").count()).toBe(0);
  await saved;
  await page.reload();
  await page.waitForSelector('[data-phase="ready"]');
  expect(await page.getByTestId("gauge").count()).toBe(0);
  await context.close();
});
