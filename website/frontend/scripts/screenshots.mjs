// Takes a picture of every page at four widths in both themes, of a running arcade:
//   node scripts/screenshots.mjs http://localhost:8080 OUT_FOLDER [GAME_ID]
import { mkdirSync } from "node:fs";

import { chromium } from "playwright-core";

const [, , address, folder, gameId = "breakout"] = process.argv;
if (address === undefined || folder === undefined) {
  console.error("Usage: node scripts/screenshots.mjs ADDRESS OUT_FOLDER [GAME_ID]");
  process.exit(2);
}
const only = process.env.WIDTHS?.split(",").map(Number);
const sizes = [
  { width: 390, height: 844, touch: true },
  { width: 768, height: 1024, touch: true },
  { width: 1280, height: 720, touch: false },
  { width: 1920, height: 1080, touch: false },
].filter(({ width }) => only?.includes(width) ?? true);

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
});

async function takeAll({ width, height, touch }, theme) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    hasTouch: touch,
    isMobile: touch,
    deviceScaleFactor: touch ? 2 : 1,
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`${width} ${theme}: ${error.message}`));
  page.on("console", (line) => {
    if (line.type() === "error") console.error(`${width} ${theme}: ${line.text()}`);
  });
  const take = (name, fullPage = false) =>
    page.screenshot({ path: `${folder}/${name}-${width}-${theme}.png`, fullPage });
  const phase = (kind) => page.waitForSelector(`[data-phase="${kind}"]`);

  await page.goto(`${address}/sign-in`);
  await page.getByLabel("E-mail").fill("you@example.org");
  await take("sign-in");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${address}/`);
  await page.waitForLoadState("networkidle");
  await take("library", true);
  await page.getByLabel("Find a game").fill("zzz");
  await take("nothing-found");
  await page.goto(`${address}/play/${gameId}`);
  await phase("ready");
  await take("ready");
  await page.getByRole("button", { name: "Start" }).click();
  await page.waitForTimeout(250);
  await take("countdown");
  await phase("playing");
  await page.keyboard.press("Space", { delay: 60 });
  await page.waitForTimeout(1500);
  await take("playing");
  if (await page.getByRole("button", { name: "Pause" }).isVisible()) {
    await page.getByRole("button", { name: "Pause" }).click();
    await phase("paused");
    await take("paused");
    await page.getByRole("button", { name: "End this game" }).click();
  } else {
    await page.getByRole("button", { name: "Leave" }).click();
  }
  await page.waitForURL(`${address}/`);
  await page.goto(`${address}/you`);
  await page.waitForLoadState("networkidle");
  await take("you");
  await page.goto(`${address}/nowhere`);
  await take("not-found");
  await context.close();
}

for (const size of sizes) {
  for (const theme of ["dark", "light"]) await takeAll(size, theme);
}
await browser.close();
console.log(`Pictures are in ${folder}.`);
