// Plays from a frame of a replay: the new round begins with the picture of that frame.
import type { WebSocket } from "playwright-core";
import { describe, expect } from "vitest";

import { findAccessibilityFaults } from "./support/accessibility";
import { OUTPUT_FOLDER } from "./support/browser";
import { findOverflows } from "./support/overflow";
import { readBack, type Recording, signIn, waitForFrame } from "./support/replay-session";
import { playRound, press, quit, startRound } from "./support/round";
import { createScenario } from "./support/scenario";
import { hashScreen } from "./support/screen";
import { collectStartedEpisodes } from "./support/started-episode";
import { openSuite } from "./support/suite";

// Late enough that the branch is prepared while the replay rests on it; a round of Pong always lasts longer.
const FRAME = 640;
const ROUND_SECONDS = 13;

const step = createScenario(300_000);
const suite = openSuite("branch", { options: ["--no-lockstep"] });
let parent: string;
let recording: Recording;
let children: string[] = [];

describe("play from here", () => {
  step("replay leads to a game that begins at its frame", async () => {
    const { server } = suite;
    const { page } = suite.visit;
    await signIn(page, server.url);
    [parent, recording] = await playRound(page, server, "/play/pong", ROUND_SECONDS);
    expect(recording.branch).toBeNull();
    const preparing = page.waitForResponse(
      (answer) => answer.request().postData()?.includes('"is_preparation":true') ?? false,
    );
    const sockets: WebSocket[] = [];
    page.on("websocket", (socket) => sockets.push(socket));
    await page.goto(`/replay/${parent}?f=${String(FRAME)}`);
    await waitForFrame(page, FRAME);
    expect((await preparing).status()).toBe(200);
    await expect.poll(() => sockets.length).toBe(1);
    await page.getByRole("link", { name: "Play from here" }).click();
    await page.waitForURL(`${server.url}/play/pong?branch=${parent}&frame=${String(FRAME)}`);
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByText(`Your round begins at frame ${String(FRAME)}`).waitFor();
    expect(sockets).toHaveLength(2);
    await expect.poll(() => sockets.map((socket) => socket.isClosed())).toEqual([true, false]);
  });

  step("each round begins with the picture of the frame", async () => {
    const { page } = suite.visit;
    await expect.poll(() => hashScreen(page)).toBe(recording.hashes[FRAME]);
    children = collectStartedEpisodes(page);
    await startRound(page);
    await press(page, 1);
    await page.keyboard.press("Escape");
    await page.waitForSelector('[data-phase="paused"]');
    await page.getByRole("button", { name: "Restart" }).click();
    await expect.poll(() => children.length).toBe(2);
    await page.waitForSelector('[data-phase="playing"]');
    await press(page, 1);
    await quit(page, suite.server.url);
  });

  step("recording names the frame, and its replay links to it", async () => {
    const { page } = suite.visit;
    for (const child of children) {
      const played = await readBack<Recording>(suite.server, "frames", child);
      expect(played.hashes[0]).toBe(recording.hashes[FRAME]);
      expect(played.seed).toBe(recording.seed);
      expect(played.branch).toMatchObject({ parent, step: FRAME, root: parent });
    }
    await page.goto(`/replay/${String(children[0])}`);
    await page.getByRole("link", { name: `Frame ${String(FRAME)} of another round` }).click();
    await page.waitForURL(new RegExp(`/replay/${parent}\\?f=${String(FRAME)}`));
    await waitForFrame(page, FRAME);
    expect(await hashScreen(page)).toBe(recording.hashes[FRAME]);
  });

  step("unknown round says why it cannot be played from", async () => {
    const { page } = suite.visit;
    await page.goto("/play/pong?branch=00000000-0000-7000-8000-000000000000&frame=3");
    await page.getByRole("heading", { name: "Frame not available" }).waitFor();
    await page.goto(`/play/pong?branch=${parent}&frame=999999`);
    await page.getByText("Nothing follows frame 999999").first().waitFor();
  });

  for (const width of [390, 1280])
    step(`page at ${String(width)} px has no accessibility faults`, async () => {
      const { page } = suite.visit;
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`/play/pong?branch=${parent}&frame=${String(FRAME)}`);
      await page.waitForSelector('[data-phase="ready"]');
      await page.screenshot({
        path: `${OUTPUT_FOLDER}branch-${String(width)}.png`,
        fullPage: true,
      });
      expect([...(await findAccessibilityFaults(page)), ...(await findOverflows(page))]).toEqual(
        [],
      );
    });

  step("no errors appear in the console", () => {
    expect(suite.visit.errors.filter((text) => !/404|422/.test(text))).toEqual([]);
  });
});
