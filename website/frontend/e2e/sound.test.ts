// Sound of Space Invaders, streamed and in lockstep: in sync with the picture, silent when muted,
// paused or ended, and without effect on the recording.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { type AudioStats, QUEUE_STEPS } from "../src/play/sound/sound-queue";
import { shouldSkip } from "../tests/support/prerequisites";
import { type TestServer, startServer } from "./support/server";
import {
  saveScreenshot,
  openBrowser,
  openVisit,
  OUTPUT_FOLDER,
  type Visit,
} from "./support/browser";
import { waitForEmulator, countLoadedEmulators } from "./support/emulator";
import { createScenario } from "./support/scenario";
import { readRecordings } from "./support/recordings";

const step = createScenario();
const PERIOD_MS = 1000 / 60;
/** Number of samples in 0.1 s of sound at 44.1 or 48 kHz. */
const HEARD = 4800;
/** The picture may be newer than its last report by one display frame and one step. */
const SLACK_STEPS = 2;
const built = existsSync(
  fileURLToPath(new URL("../../.state/lockstep/lockstep.wasm", import.meta.url)),
);

/** Audio state that the page collects for the test. */
interface World {
  nodes: AudioWorkletNode[];
  contexts: AudioContext[];
  /** Peak amplitude of the output, from 0 to 1. */
  peak: () => number;
  painted: [number, number] | null;
}
type Watched = typeof globalThis & { world: World };

let server: TestServer;
let browser: Browser;
let visit: Visit;
let packets = 0;

beforeAll(async () => {
  [browser, server] = await Promise.all([
    openBrowser(),
    startServer(`${OUTPUT_FOLDER}sound.log`, {}, built ? [] : ["--no-lockstep"]),
  ]);
  visit = await openVisit(browser, server.url);
  await visit.page.addInitScript(watchSound);
  await countLoadedEmulators(visit.page);
  visit.page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => {
      if (typeof payload !== "string" && payload[0] === 2) packets++;
    });
  });
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail")
    await saveScreenshot(visit.page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Runs in the page before its scripts: records its audio contexts and analyses their output. */
function watchSound(): void {
  const world: World = { nodes: [], contexts: [], peak: () => 0, painted: null };
  (globalThis as Watched).world = world;
  globalThis.AudioWorkletNode = class extends AudioWorkletNode {
    constructor(...all: ConstructorParameters<typeof AudioWorkletNode>) {
      super(...all);
      world.nodes.push(this);
    }
  };
  globalThis.AudioContext = class extends AudioContext {
    constructor(...all: ConstructorParameters<typeof AudioContext>) {
      super(...all);
      world.contexts.push(this);
    }
  };
  const connect: (this: AudioNode, to: AudioNode) => AudioNode = Reflect.get(
    AudioNode.prototype,
    "connect",
  );
  Reflect.set(AudioNode.prototype, "connect", function (this: AudioNode, to: AudioNode) {
    if (to === this.context.destination) {
      const ear = new AnalyserNode(this.context, { fftSize: 2048 });
      connect.call(this, ear);
      world.peak = () => {
        const samples = new Float32Array(2048);
        ear.getFloatTimeDomainData(samples);
        return Math.max(...samples);
      };
    }
    return connect.call(this, to);
  });
  const send: (this: WebSocket, data: string) => void = Reflect.get(WebSocket.prototype, "send");
  WebSocket.prototype.send = function (this: WebSocket, data: unknown) {
    const message = JSON.parse(String(data)) as { type: string; frames: [number, number][] };
    if (message.type === "shown") world.painted = message.frames.at(-1) ?? world.painted;
    send.call(this, String(data));
  };
}

/** Returns the statistics of the worklet and the observation that is on the screen. */
function listen(page: Page): Promise<{ account: AudioStats; shown: number; peak: number }> {
  return page.evaluate(async (period) => {
    const { world } = globalThis as unknown as Watched;
    const node = world.nodes.at(-1);
    if (node === undefined) throw new Error("There is no sound.");
    const account = await new Promise<AudioStats>((resolve) => {
      node.port.onmessage = ({ data }: MessageEvent<AudioStats>) => resolve(data);
      node.port.postMessage({ kind: "stats" });
    });
    const [frame, at] = world.painted ?? [0, performance.now()];
    const shown = frame + (performance.now() - at) / period;
    return { account, shown, peak: world.peak() };
  }, PERIOD_MS);
}

async function startGame(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Start", exact: true }).click();
  await page.waitForSelector('[data-phase="playing"]');
}

/** Waits for sound and compares its frame with that of the picture. */
async function expectSoundInSync(page: Page): Promise<void> {
  await page.waitForFunction(() => (globalThis as Watched).world.nodes.length > 0);
  await expect.poll(async () => (await listen(page)).account.audibleSamples).toBeGreaterThan(HEARD);
  await expect.poll(async () => (await listen(page)).peak).toBeGreaterThan(0.01);
  const lags: number[] = [];
  for (let turn = 0; turn < 9; turn++) {
    const { account, shown } = await listen(page);
    expect(account.queuedSteps).toBeLessThanOrEqual(QUEUE_STEPS.max);
    lags.push(shown - (account.frame - account.queuedSteps));
    await page.waitForTimeout(40);
  }
  const median = lags.sort((a, b) => a - b)[4] ?? NaN;
  expect(Math.abs(median)).toBeLessThanOrEqual(QUEUE_STEPS.max + SLACK_STEPS);
}

const state = (page: Page) =>
  page.evaluate(() => (globalThis as Watched).world.contexts.at(-1)?.state);

step("streamed sound plays only while it is enabled and the game runs", async () => {
  const { page, context } = visit;
  await context.route("**/lockstep/**", (route) => route.abort());
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill("Sound.Test@example.org");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${server.url}/`);
  await page.goto("/play/space-invaders");
  await page.waitForSelector('[data-phase="ready"]');
  const button = page.getByRole("button", { name: "Sound" });
  expect(await button.getAttribute("aria-pressed")).toBe("false");
  await startGame(page);
  await page.waitForTimeout(300);
  expect(packets).toBe(0);
  expect(await state(page)).toBeUndefined();

  await page.keyboard.press("m");
  await expectSoundInSync(page);
  expect(packets).toBeGreaterThan(10);
  expect(await button.getAttribute("aria-pressed")).toBe("true");

  await page.keyboard.press("Escape");
  await expect.poll(() => state(page)).toBe("suspended");
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-phase="playing"]');
  await expect.poll(() => state(page)).toBe("running");
  await button.click();
  await expect.poll(() => state(page)).toBe("suspended");
  const before = packets;
  await page.waitForTimeout(300);
  expect(packets - before).toBeLessThanOrEqual(1);
  await button.click();
  await page.getByRole("button", { name: "Quit", exact: true }).click();
  await page.waitForURL(`${server.url}/`);
  await expect.poll(() => state(page)).toBe("closed");
  await context.unroute("**/lockstep/**");
});

step(
  "lockstep sound plays without sound packets, and the setting is remembered",
  async (context) => {
    if (shouldSkip(built ? null : "the lockstep module is not built")) context.skip();
    const { page } = visit;
    packets = 0;
    await page.goto("/play/space-invaders");
    await page.waitForSelector('[data-phase="ready"]');
    await waitForEmulator(page);
    await startGame(page);
    await page.waitForSelector('[data-testid="mode"][data-stepped-by="page"]');
    await expectSoundInSync(page);
    expect(packets).toBe(0);
    await page.getByRole("button", { name: "Quit", exact: true }).click();
    await page.waitForURL(`${server.url}/`);
  },
);

step("episodes with sound are certified", async () => {
  const episodes = await readRecordings(server.data, built ? 2 : 1);
  expect(episodes.map(({ mode, verdict }) => [mode, verdict])).toEqual(
    [
      ["streamed", "certified"],
      ["lockstep", "certified"],
    ].slice(0, episodes.length),
  );
  expect(visit.errors.filter((problem) => !problem.includes("ERR_FAILED"))).toEqual([]);
});
