// Signs in, plays two games with the keyboard, and compares both recordings with a re-run.
import { describe, expect } from "vitest";

import { saveScreenshot } from "./support/browser";
import { createScenario } from "./support/scenario";
import { signIn } from "./support/sign-in";
import { openSuite } from "./support/suite";
import { type RecordedEpisode, readRecordings } from "./support/recordings";
import { findPaddle, hashScreen, watchMotion } from "./support/screen";

const step = createScenario();
const WATCHED_SECONDS = 3;
// Solution with three disks: pairs of the pole to lift from and the pole to put down on.
const HANOI = [1, 3, 1, 2, 3, 2, 1, 3, 2, 1, 2, 3, 1, 3];

const suite = openSuite("play", { options: ["--no-lockstep"] });
let wonPicture: string;
let episodes: RecordedEpisode[];

/** Opens a game and starts it by keyboard. */
async function startGame(id: string): Promise<void> {
  const { page } = suite.visit;
  await page.goto(`/play/${id}`);
  await page.waitForSelector('[data-phase="ready"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
}

/** Holds a key for `ms` milliseconds. */
async function hold(key: string, ms: number): Promise<void> {
  await suite.visit.page.keyboard.press(key, { delay: ms });
}

/** Moves the paddle left and right, so that consecutive pictures differ also without a ball. */
async function swing(seconds: number): Promise<void> {
  for (let turn = 0; turn < 4 * seconds; turn++) {
    await hold(turn % 2 === 0 ? "ArrowRight" : "ArrowLeft", 230);
  }
}

describe("playing", () => {
  step("sign-in opens the list of games", async () => {
    const { page } = suite.visit;
    await page.goto("/");
    await signIn(page, "Browser.Test@example.org");
    await page
      .getByRole("link", { name: /Breakout/ })
      .first()
      .waitFor();
    await page
      .getByRole("link", { name: /Tower of Hanoi/ })
      .first()
      .waitFor();
  });

  step("Breakout streams frames, and the paddle follows the keys", async () => {
    const { page } = suite.visit;
    const packets: number[] = [];
    page.on("websocket", (socket) => {
      socket.on("framereceived", ({ payload }) => {
        if (typeof payload !== "string") packets.push(performance.now());
      });
    });
    await startGame("breakout");
    await page.keyboard.press("Space", { delay: 50 });
    const right = await hold("ArrowRight", 1500).then(() => findPaddle(page));
    const left = await hold("ArrowLeft", 1500).then(() => findPaddle(page));
    expect(right - left).toBeGreaterThan(80);
    const [motion] = await Promise.all([
      watchMotion(page, WATCHED_SECONDS),
      swing(WATCHED_SECONDS),
    ]);
    // Smoothness is measured by the benchmarks. Here, on a busy machine, it only has to move.
    expect(motion.changes / motion.seconds).toBeGreaterThan(10);
    expect(rateOf(packets)).toBeGreaterThan(30);
    expect(rateOf(packets)).toBeLessThan(63);
    await page.getByRole("button", { name: "Quit", exact: true }).click();
    await page.waitForURL(`${suite.server.url}/`);
  });

  step("Tower of Hanoi is played to a win", async () => {
    const { page } = suite.visit;
    await startGame("tower-of-hanoi");
    for (const pole of HANOI) await page.keyboard.press(`Digit${String(pole)}`, { delay: 30 });
    await page.waitForSelector('[data-testid="ending"][data-status="won"]');
    wonPicture = await hashScreen(page);
  });
});

describe("mission", () => {
  step("Fetch shows its mission before the start and while it is played", async () => {
    const { page } = suite.visit;
    await page.goto("/play/minigrid-fetch");
    await page.waitForSelector('[data-phase="ready"]');
    const caption = page.getByTestId("caption");
    await expect.poll(() => caption.textContent()).toMatch(/fetch|get/u);
    const mission = await caption.textContent();
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-phase="playing"]');
    await page.keyboard.press("ArrowLeft");
    expect(await caption.textContent()).toBe(mission);
    await saveScreenshot(page, "mission");
    await page.getByRole("button", { name: "Quit", exact: true }).click();
    await page.waitForURL(`${suite.server.url}/`);
  });
});

describe("recording", () => {
  step("recording has both episodes with their end reasons", async () => {
    episodes = await readRecordings(suite.server.data, 3);
    const ends = episodes.map(({ game, status, end_reason }) => ({ game, status, end_reason }));
    expect(ends).toEqual([
      { game: "breakout", status: "incomplete", end_reason: "left" },
      { game: "tower-of-hanoi", status: "won", end_reason: "terminated" },
      { game: "minigrid-fetch", status: "incomplete", end_reason: "left" },
    ]);
  });

  step("recording has one step per tick or key press", () => {
    const [breakout, hanoi] = episodes;
    expect(breakout?.actions.length).toBeGreaterThan((3 + WATCHED_SECONDS) * 30);
    expect(new Set(breakout?.actions)).toEqual(new Set([0, 1, 2, 3]));
    expect(hanoi?.actions).toEqual(HANOI.map((pole) => pole - 1));
    expect(hanoi?.terminated).toBe(true);
  });

  step("recording has one frame more than steps, and most frames have a paint time", () => {
    for (const episode of episodes) {
      expect(episode.n_frames).toBe(episode.actions.length + 1);
      expect(episode.n_shown).toBeGreaterThan(0.5 * episode.actions.length);
    }
  });

  step("recording ends with the picture that was on the screen", () => {
    expect(episodes[1]?.last_frame_sha256).toBe(wonPicture);
  });

  step("recording equals a re-run from seed and actions", () => {
    for (const {
      game,
      differing_frames: frames,
      differing_rewards: rewards,
      verdict,
    } of episodes) {
      expect(verdict, game).toBe("certified");
      expect({ game, frames, rewards }).toEqual({ game, frames: 0, rewards: 0 });
    }
  });

  step("account page lists the recorded games", async () => {
    const { page } = suite.visit;
    await page.goto("/you");
    await page.getByText("Breakout").first().waitFor();
    await page.getByText("Tower of Hanoi").first().waitFor();
  });
});

step("the page reports no errors", () => {
  expect(suite.visit.errors).toEqual([]);
});

step("the server exits with code 0 on SIGINT", async () => {
  const { code, output } = await suite.server.stop();
  expect(output).not.toContain("Traceback");
  expect(code).toBe(0);
});

/** Returns events per second without the first and the last tenth of the events. */
function rateOf(times: readonly number[]): number {
  const cut = Math.floor(times.length / 10);
  const middle = times.slice(cut, times.length - cut);
  const [first, last] = [middle.at(0), middle.at(-1)];
  if (first === undefined || last === undefined) return 0;
  return ((middle.length - 1) / (last - first)) * 1000;
}
