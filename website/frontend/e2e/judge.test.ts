// A judge compares clips by keys and buttons, undoes an answer, and rates clips. The clips are those
// that were recorded, and both show the same frame at any time.
import { describe, expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { openBrowser, openVisit, saveScreenshot } from "./support/browser";
import { readFramePairs, readResult, runJudgements, waitForClips } from "./support/judgements";
import { findOverflows } from "./support/overflow";
import { type Recording, signIn } from "./support/replay-session";
import { playRound } from "./support/round";
import { createScenario } from "./support/scenario";
import { hashCanvasFrames } from "./support/screen";
import { signIn as signInAs } from "./support/sign-in";
import { openSuite } from "./support/suite";

const ROUND_SECONDS = 4;
const CLIP_SECONDS = 1.5;
const CLIP_FRAMES = 90;
const SET = ["--game", "breakout", "--seconds", String(CLIP_SECONDS), "--gold", "0"];

const step = createScenario(300_000);
const suite = openSuite("judge", { options: ["--no-lockstep"] });
const recordings: Recording[] = [];

describe("judgements", () => {
  step("sets are drawn from two recorded rounds", async () => {
    const { server } = suite;
    const { page } = suite.visit;
    await signIn(page, server.url);
    for (let round = 0; round < 2; round++)
      recordings.push((await playRound(page, server, "/play/breakout", ROUND_SECONDS))[1]);
    const everyone = ["--audience", "everyone"];
    const made = await runJudgements(
      server.data,
      "create",
      "pairs",
      ...SET,
      ...["--pairs", "4", "--repeats", "0.25", ...everyone],
    );
    expect(made).toContain("Drew 4 pairs of 90 frames, and 1 repeats");
    const rating = ["--kind", "rating", "--pairs", "2", "--repeats", "0"];
    const options = SET.slice(0, 4);
    await runJudgements(server.data, "create", "ratings", ...options, ...rating, ...everyone);
    await runJudgements(
      server.data,
      "create",
      "sliders",
      ...[...options, ...rating, ...everyone, "--scale", "0-100"],
    );
    await runJudgements(server.data, "create", "ours", ...SET, "--pairs", "2");
  });

  step("clips play the recorded frames in sync", async () => {
    const { page } = suite.visit;
    await page.goto("/judge/pairs");
    await page.getByRole("heading", { name: "In which clip is the game played better?" }).waitFor();
    await waitForClips(page);
    // The browser prefers less motion, so that nothing plays by itself.
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
    const pairs = await readFramePairs(page, 2 * CLIP_SECONDS);
    expect(pairs.filter(([left, right]) => left !== right)).toEqual([]);
    const seen = new Set(pairs.map(([left]) => left));
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...seen)).toBe(CLIP_FRAMES - 1);
    for (const side of [0, 1]) {
      const shown = await hashCanvasFrames(
        page,
        `[data-testid="clip-${String(side)}"]`,
        2 * CLIP_SECONDS,
      );
      expect(shown.size).toBeGreaterThan(10);
      const places = recordings.flatMap(({ hashes }) =>
        hashes.flatMap((_, start) =>
          [...shown].every(([frame, hash]) => hashes[start + frame] === hash) ? [start] : [],
        ),
      );
      expect(places).not.toEqual([]);
    }
  });

  step("space pauses, and r plays again", async () => {
    const { page } = suite.visit;
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Play", exact: true }).waitFor();
    const still = new Set((await readFramePairs(page, 0.5)).map(String));
    expect(still.size).toBe(1);
    await page.keyboard.press("r");
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
  });

  step("keys answer and undo, and progress is shown", async () => {
    const { page } = suite.visit;
    const progress = (count: number) => page.getByText(`${String(count)} of 5 answered`).waitFor();
    await progress(0);
    await page.keyboard.press("ArrowLeft");
    await progress(1);
    await page.keyboard.press("u");
    await progress(0);
    for (const [number, key] of ["ArrowRight", "ArrowUp", "ArrowDown", "s"].entries()) {
      await waitForClips(page);
      await page.keyboard.press(key);
      await progress(number + 1);
    }
    await waitForClips(page);
    await page.reload();
    await progress(4);
    await waitForClips(page);
    await page.getByRole("button", { name: "Left" }).click();
    await page.getByRole("heading", { name: "All clips judged" }).waitFor();
    const result = await readResult(suite.server.data, "pairs");
    expect(result.judges.map(({ counts }) => counts)).toEqual([
      { right: 1, equal: 1, cannot_tell: 1, skip: 1, left: 1 },
    ]);
  });

  step("clips are rated by digits and by a slider", async () => {
    const { page } = suite.visit;
    await page.goto("/judge/ratings");
    await waitForClips(page, 1);
    await page.keyboard.press("4");
    await page.getByText("1 of 2 answered").waitFor();
    await waitForClips(page, 1);
    await page.getByRole("button", { name: "2", exact: true }).click();
    await page.getByRole("heading", { name: "All clips judged" }).waitFor();
    await page.goto("/judge/sliders");
    await waitForClips(page, 1);
    const slider = page.getByRole("slider");
    await slider.focus();
    await page.keyboard.press("End");
    await page.getByRole("button", { name: "Rate with 100" }).click();
    await page.getByText("1 of 2 answered").waitFor();
    expect((await readResult(suite.server.data, "ratings")).n_judgements).toBe(2);
  });

  step("page says why somebody cannot judge", async () => {
    const { page } = suite.visit;
    await page.goto("/judge/ours");
    await page.getByText("Only researchers judge these clips.").waitFor();
    await page.goto("/judge/nothing");
    await page.getByText("There is no such set of clips.").waitFor();
  });

  for (const width of [390, 1280])
    step(`page at ${String(width)} px has no accessibility faults in both themes`, async () => {
      const { page } = suite.visit;
      await runJudgements(
        suite.server.data,
        ...["create", `look-${String(width)}`, ...SET, "--pairs", "2", "--audience", "everyone"],
      );
      await page.setViewportSize({ width, height: width === 390 ? 844 : 800 });
      for (const name of [`look-${String(width)}`, "sliders"]) {
        await page.goto(`/judge/${name}`);
        await waitForClips(page, name === "sliders" ? 1 : 2);
        for (const theme of ["light", "dark"]) {
          await page.evaluate((value) => (document.documentElement.dataset.theme = value), theme);
          await saveScreenshot(page, `judge-${name}-${String(width)}-${theme}`);
          const faults = [...(await findAccessibilityFaults(page)), ...(await findOverflows(page))];
          expect(faults, `${name} ${theme}`).toEqual([]);
        }
      }
      await page.goto(`/judge/look-${String(width)}`);
      await waitForClips(page);
      const side = width === 390 ? "Above" : "Left";
      await page.getByRole("button", { name: side, exact: true }).waitFor();
      const boxes = await Promise.all(
        [0, 1].map((index) => page.getByTestId(`clip-${String(index)}`).boundingBox()),
      );
      const [first, second] = boxes;
      if (first === null || second === null || first === undefined || second === undefined)
        throw new Error("a clip is not shown");
      if (width === 390) expect(second.y).toBeGreaterThan(first.y + first.height);
      else expect(second.x).toBeGreaterThan(first.x + first.width);
      for (const { width: across, height } of [first, second])
        expect(Math.min(across, height)).toBeGreaterThan(120);
    });

  step("page is in German for a German judge", async () => {
    const { browser, server } = suite;
    const { context, page } = await openVisit(browser, server.url, "de-DE");
    await page.goto("/sign-in");
    await page.getByLabel("E-Mail").fill("richter@example.org");
    await page.getByRole("button", { name: "Anmelden" }).click();
    await page.waitForURL(`${server.url}/`);
    await page.goto("/judge/look-390");
    await waitForClips(page);
    await page
      .getByRole("heading", { name: "In welchem Ausschnitt wird besser gespielt?" })
      .waitFor();
    await page.setViewportSize({ width: 390, height: 844 });
    expect([...(await findAccessibilityFaults(page)), ...(await findOverflows(page))]).toEqual([]);
    await context.close();
  });

  step("judge who has not allowed research is led to the question, and back", async () => {
    const { server } = suite;
    const browser = await openBrowser({ consents: false });
    const { page } = await openVisit(browser, server.url);
    await signInAs(page, "new-judge@example.org", "/judge/pairs");
    await page.getByText("Answers are recorded for research").waitFor();
    await page.getByRole("link", { name: "Allow recording" }).click();
    await page.getByLabel("Research", { exact: true }).check();
    await page.getByLabel("In which year were you born?").fill("1980");
    await page.getByRole("button", { name: "Allow", exact: true }).click();
    await waitForClips(page);
    await browser.close();
  });

  step("no errors appear in the console", () => {
    expect(suite.visit.errors.filter((text) => !/403|404/.test(text))).toEqual([]);
  });
});
