// The page of a replay and its dialogs: accessibility, overflow, touch, and screenshots.
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { openBrowser, openVisit, OUTPUT_FOLDER } from "./support/browser";
import { countLoadedEmulators } from "./support/emulator";
import { findOverflows } from "./support/overflow";
import {
  type GameId,
  GAMES,
  playGames,
  readBack,
  signIn,
  startReplayServer,
  waitForFrame,
} from "./support/replay-session";
import type { TestServer } from "./support/server";

let server: TestServer;
let browser: Browser;
let episodes: Map<GameId, string>;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startReplayServer("replay-pages");
  const { context, page } = await openVisit(browser, server.url);
  await countLoadedEmulators(page);
  await signIn(page, server.url);
  const { breakout, "ms-pacman": pacman, "minigrid-fetch": fetching } = GAMES;
  const games = { breakout, "ms-pacman": pacman, "minigrid-fetch": fetching };
  episodes = await playGames(page, server.url, games);
  for (const episode of episodes.values()) await readBack(server, "frames", episode);
  await context.close();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function openReplay(page: Page, id: GameId, query = "", frame = 0): Promise<void> {
  await page.goto(`/replay/${episodes.get(id) ?? ""}${query}`);
  await waitForFrame(page, frame);
}

const SHAPES = {
  "390-light": { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true },
  "390-dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true },
  "1280-light": { viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  "1280-dark": { viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
} satisfies Record<string, BrowserContextOptions>;

describe("accessibility", () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    test(`page and dialogs at ${name} have no faults`, async () => {
      const context = await browser.newContext({
        ...shape,
        baseURL: server.url,
        reducedMotion: "reduce",
      });
      const page = await context.newPage();
      await signIn(page, server.url);
      const found: Record<string, string[]> = {};
      const look = async (state: string) => {
        const faults = [...(await findAccessibilityFaults(page)), ...(await findOverflows(page))];
        if (faults.length > 0) found[state] = faults;
        await page.screenshot({ path: `${OUTPUT_FOLDER}replay-${name}-${state}.png` });
      };
      await openReplay(page, "ms-pacman", "?f=200-260", 200);
      await expect.poll(() => page.getByTestId("pressed").textContent()).toMatch(/Pressed/);
      await look("page");
      await page.screenshot({
        path: `${OUTPUT_FOLDER}replay-${name}-whole.png`,
        fullPage: true,
      });
      for (const button of ["Share", "Save a clip", "Side by side", "Keys"]) {
        await page.getByRole("button", { name: button, exact: true }).click();
        await look(button.toLowerCase().replaceAll(" ", "-"));
        await page.getByRole("button", { name: "Close" }).click();
      }
      const other = episodes.get("breakout") ?? "";
      await openReplay(page, "ms-pacman", `?f=100&vs=${other}`, 100);
      await page.waitForSelector('[data-testid="versus-screen"][data-frame="100"]');
      await look("versus");
      await openReplay(page, "minigrid-fetch", "?f=1", 1);
      await look("caption");
      await page.goto("/replay/00000000-0000-7000-8000-000000000000");
      await page.getByRole("alert").waitFor();
      await look("missing");
      expect(found, JSON.stringify(found)).toEqual({});
      await context.close();
    });
  }

  test("a tap plays, and two taps skip", async () => {
    const context = await browser.newContext({ ...SHAPES["390-light"], baseURL: server.url });
    const page = await context.newPage();
    await signIn(page, server.url);
    await openReplay(page, "breakout");
    // By script, because two taps of the driver may be too far apart on a busy machine.
    const tapRight = (times: number) =>
      page.getByTestId("screen").evaluate((screen, count) => {
        const { left, top, width, height } = screen.getBoundingClientRect();
        const place = { clientX: left + 0.9 * width, clientY: top + height / 2 };
        for (let tap = 0; tap < count; tap++) {
          const kind = { bubbles: true, pointerType: "touch", button: 0 };
          screen.dispatchEvent(new PointerEvent("pointerup", { ...kind, ...place }));
        }
      }, times);
    await tapRight(2);
    await page.waitForFunction(
      () =>
        Number(document.querySelector<HTMLElement>('[data-testid="screen"]')?.dataset.frame) > 200,
    );
    await tapRight(1);
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await context.close();
  });
});
