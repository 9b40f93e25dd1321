// Takes screenshots of every page and state of a running server, at four widths in both themes:
//   node scripts/screenshots.mjs http://localhost:8080 OUT_FOLDER
// WIDTHS=390,1280 and THEMES=dark restrict them. If the server runs with
// RESEARCHER_EMAILS=you@example.org, the research page is included.
import { mkdirSync } from "node:fs";

import { chromium } from "playwright-core";

const [, , address, folder] = process.argv;
if (address === undefined || folder === undefined) {
  console.error("Usage: node scripts/screenshots.mjs ADDRESS OUT_FOLDER");
  process.exit(2);
}
const listed = (name) => process.env[name]?.split(",");
const sizes = [
  { width: 390, height: 844, touch: true },
  { width: 768, height: 1024, touch: true },
  { width: 1280, height: 720, touch: false },
  { width: 1920, height: 1080, touch: false },
].filter(({ width }) => listed("WIDTHS")?.includes(String(width)) ?? true);
const themes = listed("THEMES") ?? ["dark", "light"];

/** Games with screens of different shapes, and a key that has an effect in each. */
const PLAYED = {
  breakout: "Space",
  "video-checkers": "ArrowRight",
  "tower-of-hanoi": "Digit1",
  "minigrid-door-key": "ArrowUp",
  "lunar-lander": "ArrowUp",
};
// Three paths around the cliff, each better than the one before, so that the end shows a record.
const CLIFF = ["UUURRRRRRRRRRRDDD", "UURRRRRRRRRRRDD", "URRRRRRRRRRRD"];
const KEYS = { U: "ArrowUp", R: "ArrowRight", D: "ArrowDown" };
/** Console errors that the shown states cause. */
const EXPECTED_ERRORS = /ERR_FAILED|404/;

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
});

/** A page at one size in one theme. */
class Visit {
  constructor(page, size, theme) {
    Object.assign(this, { page, size, theme });
    const reportError = (message) => {
      if (!EXPECTED_ERRORS.test(message)) console.error(`${size.width} ${theme}: ${message}`);
    };
    page.on("pageerror", (error) => reportError(error.message));
    page.on("console", (line) => line.type() === "error" && reportError(line.text()));
  }

  /** Takes a screenshot after fonts, finite animations and visible images have loaded. */
  async take(name, fullPage = false) {
    await this.page.evaluate(async () => {
      await document.fonts.ready;
      const finite = document
        .getAnimations()
        .filter(({ effect }) => effect?.getComputedTiming().iterations !== Infinity);
      await Promise.all(finite.map((motion) => motion.finished.catch(() => undefined)));
      const visible = [...document.images].filter((image) => {
        const { top, bottom } = image.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      });
      await Promise.all(visible.map((image) => image.decode().catch(() => undefined)));
    });
    const path = `${folder}/${name}-${this.size.width}-${this.theme}.png`;
    await this.page.screenshot({ path, fullPage });
  }

  go = (path) => this.page.goto(`${address}${path}`);
  phase = (kind) => this.page.waitForSelector(`[data-phase="${kind}"]`);
  press = (name) => this.page.getByRole("button", { name, exact: true }).first().click();
  quiet = () => this.page.waitForLoadState("networkidle");

  /** Runs `act` while requests that match `pattern` are handled by `handler`. */
  async withRoute(pattern, handler, act) {
    await this.page.route(pattern, handler);
    await act();
    await this.page.unroute(pattern);
  }

  async takeLibrary() {
    await this.withRoute(
      "**/games",
      () => undefined,
      async () => {
        await this.page.goto(`${address}/`, { waitUntil: "commit" });
        await this.page.getByLabel("Find a game").waitFor();
        await this.take("library-loading");
      },
    );
    await this.withRoute(
      "**/games",
      (route) => route.abort(),
      async () => {
        await this.go("/");
        await this.page.getByRole("alert").waitFor({ timeout: 30_000 });
        await this.take("library-down");
      },
    );
    await this.go("/");
    await this.quiet();
    await this.take("library");
    await this.page.getByLabel("Find a game").fill("zzz");
    await this.page.getByRole("button", { name: "Show all games" }).waitFor();
    await this.take("nothing-found");
  }

  async signIn() {
    await this.go("/sign-in");
    await this.page.getByLabel("E-mail").fill(`you@example.org`);
    await this.take("sign-in");
    await this.press("Sign in");
    await this.page.waitForURL(`${address}/`);
  }

  async takeGame(id) {
    await this.go(`/play/${id}`);
    await this.phase("ready");
    await this.take(`ready-${id}`);
    await this.press("Start");
    if (id === "breakout") {
      await this.phase("countdown");
      await this.take("countdown");
    }
    await this.phase("playing");
    await this.page.keyboard.press(PLAYED[id], { delay: 80 });
    await this.page.waitForTimeout(1200);
    await this.take(`playing-${id}`);
    if (id === "breakout") {
      await this.press("Pause");
      await this.phase("paused");
      await this.take("paused");
      await this.press("Change keys");
      await this.take("paused-all", true);
      await this.press("Quit");
    } else await this.go("/"); // some games have ended by now
    await this.page.waitForURL(`${address}/`);
  }

  async takeEnding() {
    for (const way of CLIFF) {
      await this.go("/play/cliff-walking");
      await this.phase("ready");
      await this.press("Start");
      await this.phase("playing");
      for (const key of way) await this.page.keyboard.press(KEYS[key], { delay: 25 });
      await this.phase("ended");
    }
    await this.take("ended");
  }

  async takeErrors() {
    await this.go("/play/no-such-game");
    await this.page.getByRole("alert").waitFor();
    await this.take("no-game");
    await this.go("/nowhere");
    await this.take("not-found");
    await this.withRoute(
      "**/me/summary",
      (route) => route.abort(),
      async () => {
        await this.go("/you");
        await this.page.getByRole("alert").waitFor({ timeout: 30_000 });
        await this.take("you-down");
      },
    );
    await this.withRoute(
      /\/(ws|tickets?)\b/,
      (route) => route.abort(),
      async () => {
        await this.go("/play/breakout");
        await this.phase("reconnecting");
        await this.take("game-down");
      },
    );
  }

  async takeAccount() {
    await this.page.getByRole("link", { name: "You" }).click();
    await this.page.getByRole("heading", { name: "All rounds" }).waitFor();
    await this.quiet();
    await this.take("you", true);
    if (await this.page.getByRole("link", { name: "Research" }).isVisible()) {
      await this.go("/research");
      await this.page.getByRole("heading", { name: "Download recordings" }).waitFor();
      await this.take("research", true);
    }
    await this.go("/");
    await this.page
      .getByRole("button", { name: /is a favourite/ })
      .first()
      .click();
    await this.quiet();
    await this.page.evaluate(() => scrollTo(0, 0));
    await this.take("library-played");
  }
}

async function takeAll(size, theme) {
  const context = await browser.newContext({
    viewport: { width: size.width, height: size.height },
    colorScheme: theme,
    hasTouch: size.touch,
    isMobile: size.touch,
    deviceScaleFactor: size.touch ? 2 : 1,
  });
  const visit = new Visit(await context.newPage(), size, theme);
  await visit.takeLibrary();
  await visit.signIn();
  for (const id of Object.keys(PLAYED)) await visit.takeGame(id);
  await visit.takeEnding();
  await visit.go("/");
  await visit.takeAccount();
  await visit.takeErrors();
  await context.close();
}

for (const size of sizes) {
  for (const theme of themes) await takeAll(size, theme);
}
await browser.close();
console.log(`Wrote screenshots to ${folder}.`);
