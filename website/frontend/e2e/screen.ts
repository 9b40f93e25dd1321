// What a person sees: read from the canvas that the page paints on.
import type { Page } from "playwright-core";

const SCREEN = '[data-testid="screen"]';

export interface Motion {
  /** Animation frames that the browser gave while watching. */
  paints: number;
  /** Of these, how many showed another picture than the one before. */
  changes: number;
  seconds: number;
}

/** Watches the canvas at each animation frame for this long. */
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

/** SHA-256 of the picture on the screen: height × width × 3 bytes, as the record has them. */
export async function hashScreen(page: Page): Promise<string> {
  return page.locator(SCREEN).evaluate(async (element) => {
    const canvas = element as HTMLCanvasElement;
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data;
    if (data === undefined) throw new Error("no surface");
    const digest = await crypto.subtle.digest(
      "SHA-256",
      data.filter((_, index) => index % 4 !== 3),
    );
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  });
}

/** Left edge of Breakout's paddle, in the game's own pixels. */
export async function findPaddle(page: Page): Promise<number> {
  return page.locator(SCREEN).evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    // Between the walls, at the height of the paddle.
    const row = canvas.getContext("2d")?.getImageData(8, 190, 144, 1).data;
    if (row === undefined) throw new Error("no surface");
    for (let x = 0; x < 144; x++) {
      const [red, green, blue] = row.subarray(4 * x, 4 * x + 3);
      if (red === 200 && green === 72 && blue === 72) return 8 + x;
    }
    throw new Error("no paddle on the screen");
  });
}
