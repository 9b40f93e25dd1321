// How soon the page answers to keys and how evenly it paints, by what the page itself draws and reports.
import type { CDPSession, Page } from "playwright-core";

/** What is noted in the page: by its own clock, milliseconds. */
interface Measurements {
  /** Left edge of Breakout's bat in the newest picture that was drawn, and since which frame of the display. */
  place: number;
  since: number;
  /** Resolves at the first picture in which the bat is elsewhere than at the next key press. */
  arm: () => void;
  answer: Promise<number>;
  /** The game was asked for, and its first picture was drawn. */
  asked: number;
  first: number;
  /** A card or a button was clicked, and a picture was drawn after it. */
  clicked: number;
  drawn: number;
  /** The same, and nothing but the countdown is over it. */
  seen: number;
}

type World = typeof globalThis & { measurements: Measurements };

/** Runs in the page before its own scripts: watches what is drawn on canvases. The page itself is as it is served. */
function watchDrawing(): void {
  const measurements: Measurements = {
    place: -1,
    since: 0,
    asked: NaN,
    first: NaN,
    clicked: NaN,
    drawn: NaN,
    seen: NaN,
    answer: Promise.resolve(NaN),
    arm: () => {
      measurements.answer = new Promise((resolve) => {
        addEventListener(
          "keydown",
          (event) => {
            moved = (at) => resolve(at - event.timeStamp);
          },
          { once: true, capture: true },
        );
      });
    },
  };
  let moved: ((at: number) => void) | null = null;
  (globalThis as World).measurements = measurements;

  let shows = false;
  const watchSeen = (at: number): void => {
    if (!Number.isNaN(measurements.seen)) return;
    const open = '[data-phase="countdown"], [data-phase="starting"], [data-phase="playing"]';
    if (shows && document.querySelector(open) !== null) measurements.seen = at;
    else requestAnimationFrame(watchSeen);
  };
  addEventListener(
    "click",
    (event) => {
      measurements.clicked = event.timeStamp;
      measurements.drawn = measurements.seen = NaN;
      if (document.querySelector("[data-phase]") === null) shows = false;
      requestAnimationFrame(watchSeen);
    },
    { capture: true },
  );

  const find = ({ data, width }: ImageData): number => {
    for (let x = 8; x < 152; x++) {
      const place = 4 * (190 * width + x);
      if (data[place] === 200 && data[place + 1] === 72) return x;
    }
    return -1;
  };
  const context = CanvasRenderingContext2D.prototype;
  const draw = Reflect.get(context, "putImageData");
  context.putImageData = function (this: CanvasRenderingContext2D, ...all: unknown[]) {
    draw.apply(this, all as Parameters<typeof draw>);
    // The begin of the display's frame that this is drawn for, as an animation frame's callback is told.
    const at = Number(document.timeline.currentTime);
    shows = true;
    if (Number.isNaN(measurements.drawn)) measurements.drawn = at;
    if (Number.isNaN(measurements.first) && !Number.isNaN(measurements.asked))
      measurements.first = at;
    const place = find(all[0] as ImageData);
    if (place === measurements.place) return;
    measurements.place = place;
    measurements.since = at;
    moved?.(at);
    moved = null;
  };
  const send = Reflect.get(WebSocket.prototype, "send");
  WebSocket.prototype.send = function (this: WebSocket, data: unknown) {
    if (typeof data === "string" && data.includes('"type":"start"')) {
      measurements.asked = performance.now();
      measurements.first = NaN;
    }
    send.call(this, data as string);
  };
}

/** Times what a page does. Made before the page is opened. */
export class Stopwatch {
  readonly #page: Page;
  /** When each observation was painted, as the page told the server. */
  #painted: [number, number][] = [];

  private constructor(page: Page) {
    this.#page = page;
  }

  static async attach(page: Page): Promise<Stopwatch> {
    const watch = new Stopwatch(page);
    await page.addInitScript(watchDrawing);
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => {
        if (typeof payload !== "string") return;
        const told = JSON.parse(payload) as { type: string; frames?: [number, number][] };
        if (told.type === "shown") watch.#painted.push(...(told.frames ?? []));
      });
    });
    return watch;
  }

  /**
   * Milliseconds from each press to the first picture in which the bat has moved, one press after the other. A game
   * that stood still meanwhile, and so is paused, is gone on with, and its press is made again.
   */
  async timePresses(count: number): Promise<number[]> {
    const times: number[] = [];
    for (let turn = 0; times.length < count && turn < 2 * count; turn++) {
      const time = await this.#timePress(turn % 2 === 0 ? "ArrowRight" : "ArrowLeft");
      if (time !== null) times.push(time);
      else if ((await this.#page.locator('[data-phase="paused"]').count()) > 0) {
        await this.#page.keyboard.press("Enter");
        await this.#page.waitForSelector('[data-phase="playing"]');
      }
    }
    return times;
  }

  /** null: no picture has answered after two seconds. */
  async #timePress(key: string): Promise<number | null> {
    await this.#page.waitForFunction(() => {
      const { measurements } = globalThis as World;
      return performance.now() - measurements.since > 250;
    });
    await this.#page.evaluate(() => (globalThis as World).measurements.arm());
    // A key comes at any moment of the display's frame.
    await this.#page.waitForTimeout(Math.random() * 50);
    await this.#page.keyboard.press(key, { delay: 90 });
    return this.#page.evaluate(() => {
      const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), 2000));
      return Promise.race([(globalThis as World).measurements.answer, late]);
    });
  }

  /** Milliseconds from the click on a game's card to its first picture, which then lies behind the button Start. */
  async timeOpening(): Promise<number> {
    const drawn = await this.#page.waitForFunction(() => {
      const { clicked, drawn } = (globalThis as World).measurements;
      return Number.isNaN(drawn) ? null : drawn - clicked;
    });
    return (await drawn.jsonValue()) ?? NaN;
  }

  /** Milliseconds from the click on Start to the game's picture with nothing over it but the countdown. */
  async timeUnobstructed(): Promise<number> {
    const seen = await this.#page.waitForFunction(() => {
      const { clicked, seen } = (globalThis as World).measurements;
      return Number.isNaN(seen) ? null : seen - clicked;
    });
    return (await seen.jsonValue()) ?? NaN;
  }

  /** Milliseconds from asking for the game (after the countdown) to its first picture. */
  async timeStart(): Promise<number> {
    const told = await this.#page.evaluate(() => (globalThis as World).measurements);
    return told.first - told.asked;
  }

  /** Gaps between painted observations in the next seconds, and how many observations were never painted. */
  async watchPaints(
    seconds: number,
  ): Promise<{ gaps: number[]; painted: number; skipped: number }> {
    this.#painted = [];
    await this.#page.waitForTimeout(1000 * seconds);
    const painted = this.#painted;
    const gaps: number[] = [];
    let skipped = 0;
    for (const [index, [frame, at]] of painted.entries()) {
      const before = painted[index - 1];
      if (before === undefined) continue;
      gaps.push(at - before[1]);
      skipped += Math.max(0, frame - before[0] - 1); // a new episode counts from 0 again
    }
    return { gaps, painted: painted.length, skipped };
  }

  /** From now on the page's main thread is as slow as on a machine this many times slower. */
  async slowDown(times: number): Promise<CDPSession> {
    const session = await this.#page.context().newCDPSession(this.#page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: times });
    return session;
  }
}
