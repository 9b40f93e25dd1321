// An agent plays; a person takes over by a key and gives back.
import { describe, expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { OUTPUT_FOLDER } from "./support/browser";
import { findOverflows } from "./support/overflow";
import { resumeIfPaused } from "./support/pause";
import { readBack, type Recording, signIn } from "./support/replay-session";
import { quit, startRound } from "./support/round";
import { createScenario } from "./support/scenario";
import { openSuite } from "./support/suite";

const step = createScenario(300_000);
const suite = openSuite("takeover");
let episode: string;
let turnBased: string;

/** Looks at the running game on a phone and on a desk. */
async function checkAtWidths(name: string): Promise<void> {
  const { page } = suite.visit;
  for (const width of [390, 1280]) {
    await page.setViewportSize({ width, height: 844 });
    await page.screenshot({ path: `${OUTPUT_FOLDER}${name}-${String(width)}.png` });
    expect([...(await findAccessibilityFaults(page)), ...(await findOverflows(page))]).toEqual([]);
  }
}

describe("takeover", () => {
  step("page offers the agents of a game", async () => {
    const { server } = suite;
    const { page } = suite.visit;
    await signIn(page, server.url);
    await page.goto("/play/pong");
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByLabel("Agent").selectOption("pong-follower");
    await page.waitForURL(`${server.url}/play/pong?agent=pong-follower`);
    await page.getByRole("heading", { name: "pong-follower plays" }).waitFor();
  });

  step("agent plays, and a key takes over until it is let go", async () => {
    const { page } = suite.visit;
    const actor = (name: string) => page.waitForSelector(`[data-actor="${name}"]`);
    episode = await startRound(page);
    await actor("agent");
    await page.waitForTimeout(1500);
    await resumeIfPaused(page);
    await page.keyboard.down("ArrowUp");
    await actor("human");
    await page.screenshot({ path: `${OUTPUT_FOLDER}takeover.png` });
    await page.keyboard.up("ArrowUp");
    await actor("agent");
    await page.getByRole("group", { name: "Why did you take over?" }).waitFor();
    await checkAtWidths("takeover-reason");
    await resumeIfPaused(page);
    await page.keyboard.down("ArrowUp");
    await actor("human");
    await page.keyboard.up("ArrowUp");
    await actor("agent");
    await page.getByRole("group", { name: "Why did you take over?" }).waitFor();
    await page.keyboard.press("Digit2");
    await page.getByTestId("reasons").waitFor({ state: "hidden" });
    await page.waitForTimeout(500);
    await quit(page, suite.server.url);
  });

  step("recording says who acted at each step", async () => {
    const {
      human_steps: steps,
      reasons,
      mode,
    } = await readBack<Recording>(suite.server, "frames", episode);
    expect(mode).toBe("streamed");
    const switches = (steps ?? []).filter(
      (human, index) => index > 0 && human !== steps?.[index - 1],
    );
    expect(switches).toEqual([true, false, true, false]);
    expect(reasons).toEqual([null, "danger"]);
    await suite.visit.page.goto(`/replay/${episode}`);
    await suite.visit.page.getByRole("heading", { name: "Pong" }).first().waitFor();
  });

  step("person and agent play together, each with their own controls", async () => {
    const { page } = suite.visit;
    const actor = (name: string) => page.waitForSelector(`[data-actor="${name}"]`);
    await page.goto("/play/pong?agent=pong-follower");
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByRole("button", { name: "Play together" }).first().click();
    await checkAtWidths("takeover-together-ready");
    const together = await startRound(page);
    await actor("agent");
    // `startRound` has loaded the page again. The mode can be changed while the game runs.
    await page.getByRole("button", { name: "Play together" }).first().click();
    await page.getByText("Press a key to play with it.").waitFor();
    await resumeIfPaused(page);
    await page.keyboard.down("Space");
    await actor("shared");
    await checkAtWidths("takeover-together");
    await page.keyboard.up("Space");
    await actor("agent");
    await quit(page, suite.server.url);
    const { actors } = await readBack<Recording>(suite.server, "frames", together);
    expect(new Set(actors)).toEqual(new Set([0, 2]));
  });

  step(
    "agent of a turn-based game moves at its pace, and waits for a person's clicks",
    async () => {
      const { page } = suite.visit;
      const actor = (name: string) => page.waitForSelector(`[data-actor="${name}"]`);
      const steps = async () => Number(await page.getByTestId("time").textContent());
      await page.goto("/play/tower-of-hanoi?agent=hanoi-optimal&disks=5");
      turnBased = await startRound(page);
      await actor("agent");
      await page.getByRole("button", { name: "Stopped" }).click();
      await page.getByText("hanoi-optimal is stopped. You play.").waitFor();
      const before = await steps();
      await page.waitForTimeout(1500);
      expect(await steps()).toBe(before);
      await page.keyboard.press("Digit1");
      await actor("human");
      await page.getByRole("button", { name: "Fast" }).click();
      await actor("agent");
      await page.waitForTimeout(1000);
      expect(await steps()).toBeGreaterThan(before + 2);
      await checkAtWidths("takeover-turn-based");
      await quit(page, suite.server.url);
      const { human_steps: human } = await readBack<Recording>(suite.server, "frames", turnBased);
      expect((human ?? []).filter(Boolean)).toHaveLength(1);
    },
  );

  for (const width of [390, 1280])
    step(`page at ${String(width)} px has no accessibility faults`, async () => {
      const { page } = suite.visit;
      await page.setViewportSize({ width, height: 844 });
      await page.goto("/play/pong?agent=pong-follower");
      await page.waitForSelector('[data-phase="ready"]');
      await page.screenshot({
        path: `${OUTPUT_FOLDER}takeover-${String(width)}.png`,
        fullPage: true,
      });
      expect([...(await findAccessibilityFaults(page)), ...(await findOverflows(page))]).toEqual(
        [],
      );
    });

  step("no errors appear in the console", () => {
    expect(suite.visit.errors).toEqual([]);
  });
});
