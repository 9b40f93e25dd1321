// Reads the picture from the canvas of the page.
import type { Page } from "playwright-core";

const SCREEN = '[data-testid="screen"]';

export interface Motion {
  /** Number of animation frames. */
  paints: number;
  /** Number of animation frames with a changed picture. */
  changes: number;
  seconds: number;
}

/** Compares the canvas at each animation frame with the one before. */
export async function watchMotion(page: Page, seconds: number): Promise<Motion> {
  return page.locator(SCREEN).evaluate(async (element, seconds) => {
    const canvas = element as HTMLCanvasElement;
    const surface = canvas.getContext("2d");
    if (surface === null) throw new Error("no surface");
    const nextPaint = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
    const begin = await nextPaint();
    let before = new Uint32Array();
    let [paints, changes, now] = [0, 0, begin];
    while (now - begin < seconds * 1000) {
      now = await nextPaint();
      const { data } = surface.getImageData(0, 0, canvas.width, canvas.height);
      const picture = new Uint32Array(data.buffer);
      if (picture.some((pixel, index) => pixel !== before[index])) changes += 1;
      before = picture;
      paints += 1;
    }
    return { paints, changes, seconds: (now - begin) / 1000 };
  }, seconds);
}

/** Returns the SHA-256 of the picture as height × width × 3 bytes, as it is recorded. */
export async function hashScreen(page: Page): Promise<string> {
  return (await hashCanvas(page, SCREEN)).hash;
}

/** Returns the same of any canvas, with the frame that it says it shows; -1 if it says none. */
export async function hashCanvas(
  page: Page,
  selector: string,
): Promise<{ hash: string; frame: number }> {
  return page.locator(selector).evaluate(async (element) => {
    const canvas = element as HTMLCanvasElement;
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data;
    if (data === undefined) throw new Error("no surface");
    const frame = Number(canvas.dataset.frame ?? -1);
    const digest = await crypto.subtle.digest(
      "SHA-256",
      data.filter((_, index) => index % 4 !== 3),
    );
    const bytes = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
    return { hash: bytes.join(""), frame };
  });
}

/**
 * Hashes the pictures of a canvas at each animation frame for this time. Returns the hash at each
 * frame number that the canvas said it shows.
 */
export async function hashCanvasFrames(
  page: Page,
  selector: string,
  seconds: number,
): Promise<Map<number, string>> {
  const hashes = await page.locator(selector).evaluate(async (element, seconds) => {
    const canvas = element as HTMLCanvasElement;
    const surface = canvas.getContext("2d");
    if (surface === null) throw new Error("no surface");
    const pictures = new Map<number, Uint8ClampedArray<ArrayBuffer>>();
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      const { data } = surface.getImageData(0, 0, canvas.width, canvas.height);
      if (canvas.dataset.frame !== undefined) pictures.set(Number(canvas.dataset.frame), data);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    const digests = [...pictures].map(async ([frame, data]): Promise<[number, string]> => {
      const digest = await crypto.subtle.digest(
        "SHA-256",
        data.filter((_, index) => index % 4 !== 3),
      );
      const bytes = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
      return [frame, bytes.join("")];
    });
    return Promise.all(digests);
  }, seconds);
  return new Map(hashes);
}

/** Returns the left edge of Breakout's paddle in pixels of the game. */
export async function findPaddle(page: Page): Promise<number> {
  return page.locator(SCREEN).evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    // Row of the paddle, between the walls.
    const row = canvas.getContext("2d")?.getImageData(8, 190, 144, 1).data;
    if (row === undefined) throw new Error("no surface");
    for (let x = 0; x < 144; x++) {
      const [red, green, blue] = row.subarray(4 * x, 4 * x + 3);
      if (red === 200 && green === 72 && blue === 72) return 8 + x;
    }
    throw new Error("no paddle on the screen");
  });
}

/**
 * Returns the milliseconds from a press of `key` to the first animation frame with a moved paddle.
 *
 * Waits until the paddle stands still. It must have room to move. The time is measured on the page's
 * clock, from the key event to the start of the display frame of the picture.
 */
export async function timePress(page: Page, key: string): Promise<number> {
  await page.locator(SCREEN).evaluate(async (element) => {
    const canvas = element as HTMLCanvasElement;
    const find = (): number => {
      const row = canvas.getContext("2d")?.getImageData(8, 190, 144, 1).data ?? [];
      let x = 0;
      while (x < 144 && !(row[4 * x] === 200 && row[4 * x + 1] === 72)) x++;
      return x;
    };
    const nextFrame = async (): Promise<number> => {
      const at = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      // The page's callback for this frame may run before or after this one. Wait for both.
      await new Promise<void>((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve();
        port2.postMessage(null);
      });
      return at;
    };
    let [still, place] = [0, find()];
    while (still < 12) {
      await nextFrame();
      const now = find();
      still = now === place ? still + 1 : 0;
      place = now;
    }
    const watch = async (): Promise<number> => {
      const pressed = await new Promise<number>((resolve) => {
        addEventListener("keydown", (event) => resolve(event.timeStamp), { once: true });
      });
      for (let frames = 0; frames < 180; frames++) {
        const at = await nextFrame();
        if (find() !== place) return at - pressed;
      }
      throw new Error("the paddle did not move");
    };
    (globalThis as { answered?: Promise<number> }).answered = watch();
  });
  // Presses are spread over the display frame.
  await page.waitForTimeout(Math.random() * 50);
  await page.keyboard.press(key, { delay: 120 });
  return page.evaluate(() => (globalThis as unknown as { answered: Promise<number> }).answered);
}
