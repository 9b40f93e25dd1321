// A researcher asks by clicks alone whether people who played in the morning improved faster, takes
// the figure away, and opens the replay of a point.
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { OUTPUT_FOLDER } from "./support/browser";
import { findOverflows } from "./support/overflow";
import { createScenario } from "./support/scenario";
import { signIn } from "./support/sign-in";
import { openSuite } from "./support/suite";

const step = createScenario(300_000);
const RESEARCHER = "rosa@example.org";
const BACKEND = fileURLToPath(new URL("../../backend/", import.meta.url));
const VIEWS = [
  "Overview",
  "Learning",
  "Quality",
  "Comparison",
  "Behaviour",
  "Datasets",
  "Studies",
  "Download",
];

const suite = openSuite("research", {
  settings: { RESEARCHER_EMAILS: RESEARCHER, CERTIFIER: "false" },
});

/** Waits until all charts of the view have their answers. */
const waitForCharts = () =>
  suite.visit.page.waitForFunction(
    () =>
      document.querySelectorAll("section[data-chart]").length > 0 &&
      document.querySelector('section[data-chart][aria-busy="true"]') === null,
  );

step("synthetic players are generated, and no chart of people has them", async () => {
  await promisify(execFile)(
    `${BACKEND}.venv/bin/python`,
    ["-m", "benchmarks.synthetic_play", "--home", suite.server.data, "--episodes", "20000"],
    { cwd: BACKEND, env: { ...process.env, DATABASE_URL: undefined } },
  );
  const { page } = suite.visit;
  await signIn(page, RESEARCHER, "/research");
  await page.getByText("No recordings yet.").waitFor();
});

step("morning players improve faster, found by clicks alone", async () => {
  const { page } = suite.visit;
  await page.getByRole("combobox", { name: "Players", exact: true }).selectOption("programs");
  await page.getByRole("link", { name: "Learning", exact: true }).click();
  await page.getByRole("combobox", { name: "Split players by" }).selectOption("daytime");
  await waitForCharts();
  const speed = page.locator('section[data-chart="speed"]');
  const texts = await speed.locator("svg text").allTextContents();
  const notes = texts.filter((text) =>
    text.includes("improves faster than another group’s player"),
  );
  const share = (line: string) => Number(/([\d.]+)%/.exec(line)?.[1]);
  const morning = notes.filter((line) => line.startsWith("morning")).map(share);
  const others = notes.filter((line) => !line.startsWith("morning")).map(share);
  expect(morning).toHaveLength(1);
  expect(others.length).toBeGreaterThan(0);
  expect(morning[0]).toBeGreaterThan(Math.max(55, ...others));
  expect(page.url()).toContain("split=daytime");
  expect(page.url()).toContain("game=breakout");
});

step("figure is saved as SVG and CSV, and shows its SQL and Python", async () => {
  const { page } = suite.visit;
  const curve = page.locator('section[data-chart="curve"]');
  for (const kind of ["SVG", "CSV"]) {
    const begun = page.waitForEvent("download");
    await curve.getByRole("button", { name: `${kind} of Learning curve` }).click();
    await (await begun).saveAs(`${OUTPUT_FOLDER}curve.${kind.toLowerCase()}`);
  }
  const svg = await readFile(`${OUTPUT_FOLDER}curve.svg`, "utf8");
  expect(svg).toMatch(/^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  expect(svg).toContain('stroke="rgb(');
  expect(svg).not.toContain("class=");
  const csv = await readFile(`${OUTPUT_FOLDER}curve.csv`, "utf8");
  expect(csv.split("\n")[0]).toBe("group,x_from,x_to,players,episodes,p25,median,p75");
  await curve.getByText("SQL that gives these numbers").click();
  await curve.getByRole("region", { name: "SQL of Learning curve" }).waitFor();
  await curve.getByText("Python that gives these numbers").click();
  await curve.getByRole("region", { name: "Python of Learning curve" }).waitFor();
});

step("published scores are lines with their protocol, and programs only if asked for", async () => {
  const { page } = suite.visit;
  const curve = page.locator('section[data-chart="curve"]');
  const plot = curve.locator("svg[role=img]");
  expect(await plot.getAttribute("aria-label")).toContain("Human, dqn-zoo 30.5");
  await curve.getByText("Lines: Random agent 1.7").click();
  const dqn = curve.getByRole("listitem").filter({ hasText: "DQN 401.2" });
  expect(await dqn.textContent()).toContain("an action every 4 frames");
  expect(await dqn.textContent()).toContain("differs in pace, frame skip");
  await page.getByRole("combobox", { name: "Lines" }).selectOption("none");
  await curve.getByText("Lines: Random agent 1.7").waitFor({ state: "detached" });
  expect(page.url()).toContain("lines=none");
  await page.getByRole("combobox", { name: "Lines" }).selectOption("published");
});

step("address shows the same charts again", async () => {
  const { page } = suite.visit;
  await page.reload();
  await waitForCharts();
  await page.getByRole("list", { name: "Groups" }).first().getByText("morning").waitFor();
});

step("every view passes the accessibility check and cuts nothing off", async () => {
  const { page } = suite.visit;
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    for (const view of VIEWS) {
      await page.getByRole("link", { name: view, exact: true }).click();
      if (view === "Download") await page.getByText("All finished episodes").waitFor();
      else if (view === "Datasets") await page.getByText("None yet.").waitFor();
      else if (view === "Studies") await page.getByText("No study yet.").waitFor();
      else await waitForCharts();
      expect(await findAccessibilityFaults(page), view).toEqual([]);
      expect(await findOverflows(page), view).toEqual([]);
    }
  }
});

step("a point opens the replay of its episode", async () => {
  const { page } = suite.visit;
  await page.getByRole("link", { name: "Learning", exact: true }).click();
  await waitForCharts();
  const point = page.locator('section[data-chart="points"] svg a').last();
  const address = (await point.getAttribute("href")) ?? "";
  expect(address).toMatch(/^\/replay\/[0-9a-f-]{36}$/);
  await point.click();
  await page.waitForURL((url) => url.pathname === address);
});

step("a death opens the replay at the frame before it", async () => {
  const { page } = suite.visit;
  await page.goBack();
  await page.getByRole("link", { name: "Behaviour", exact: true }).click();
  await waitForCharts();
  const deaths = page.locator('section[data-chart="deaths"]');
  const address = (await deaths.locator("svg a").first().getAttribute("href")) ?? "";
  expect(address).toMatch(/^\/replay\/[0-9a-f-]{36}\?f=\d+$/);
  const begun = page.waitForEvent("download");
  await deaths.getByRole("button", { name: "CSV of Where people die" }).click();
  await (await begun).saveAs(`${OUTPUT_FOLDER}deaths.csv`);
  const csv = await readFile(`${OUTPUT_FOLDER}deaths.csv`, "utf8");
  expect(csv).toMatch(/^variant,screen,columns,rows,column,row,deaths,players,episode_id,frame\n/);
});
