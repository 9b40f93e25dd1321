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

/**
 * Milliseconds from a press of `key` to the first animation frame in which Breakout's bat is elsewhere.
 *
 * The bat must have room to go; it is waited for until it stands still. Counted on the page's own clock, from the
 * key's event to the begin of the display's frame that the picture was drawn for.
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
      // The page's own callback for this frame ran before this one or comes right after: look once both have.
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
      throw new Error("the bat did not move");
    };
    (globalThis as { answered?: Promise<number> }).answered = watch();
  });
  // A key comes at any moment of the display's frame.
  await page.waitForTimeout(Math.random() * 50);
  await page.keyboard.press(key, { delay: 120 });
  return page.evaluate(() => (globalThis as unknown as { answered: Promise<number> }).answered);
}
