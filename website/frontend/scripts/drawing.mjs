// Measures how long each chart of the research page takes to draw in the local Chromium: the CPU
// time of the main thread from the arrival of its answer to the frame that shows it, while the page
// does nothing else. Answers are fetched first and then released one by one. Prints JSON:
//   node scripts/drawing.mjs ADDRESS EMAIL REPEATS [FILTERS]
import { chromium } from "playwright-core";

const VIEWS = ["overview", "learning", "quality", "comparison", "behaviour"];
const CHARTS = "**/research/charts/*";

const [, , address, email, repeats, filters = ""] = process.argv;
if (address === undefined || email === undefined || !(Number(repeats) >= 1)) {
  console.error("Usage: node scripts/drawing.mjs ADDRESS EMAIL REPEATS [FILTERS]");
  process.exit(2);
}

const nameOf = (url) => new URL(url).pathname.split("/").at(-1);

/** Two animation frames later, what was changed before is painted. */
const waitForPaint = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

/** Milliseconds of CPU that the main thread has spent in tasks. */
async function readTaskMs(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
}

/** Opens a view, and returns the milliseconds of each of its charts. */
async function measureView(context, view) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const held = new Map();
  await page.route(CHARTS, async (route) => {
    const response = await route.fetch();
    const name = nameOf(route.request().url());
    // The page waits for the list of games before it shows any chart.
    if (name === "games") await route.fulfill({ response });
    else held.set(name, () => route.fulfill({ response }));
  });
  await page.goto(`${address}/research?view=${view}${filters === "" ? "" : `&${filters}`}`);
  await page.waitForSelector("section[data-chart]");
  const charts = await page
    .locator("section[data-chart]")
    .evaluateAll((sections) => sections.map((section) => section.dataset.chart));
  const waiting = charts.filter((name) => name !== "games");
  while (!waiting.every((name) => held.has(name))) await page.waitForTimeout(50);
  const measured = [];
  for (const chart of waiting) {
    await waitForPaint(page);
    const before = await readTaskMs(session);
    await held.get(chart)();
    await page.waitForSelector(`section[data-chart="${chart}"][aria-busy="false"]`);
    await waitForPaint(page);
    measured.push({ view, chart, ms: (await readTaskMs(session)) - before });
  }
  await page.close();
  return measured;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${address}/sign-in?next=/research`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(({ pathname }) => pathname === "/research");
  await page.close();
  const measured = [];
  for (let repeat = 0; repeat < Number(repeats); repeat++)
    for (const view of VIEWS) measured.push(...(await measureView(context, view)));
  console.log(JSON.stringify(measured));
} finally {
  await browser.close();
}
