// Measures input latency and paint intervals from what the page draws and reports.
import type { CDPSession, Page } from "playwright-core";

/** Measurements in the page, in milliseconds of its clock. */
interface Measurements {
  /** Left edge of Breakout's paddle in the newest picture, and the display frame that showed it first. */
  place: number;
  since: number;
  /** Resolves at the first picture in which the paddle has moved since the next key press. */
  arm: () => void;
  answer: Promise<number>;
  /** Times of the request for the game and of its first picture. */
  asked: number;
  first: number;
  /** Times of a click on a card or button and of the next picture. */
  clicked: number;
  drawn: number;
  /** The same, once only the countdown covers the picture. */
  seen: number;
}

type World = typeof globalThis & { measurements: Measurements };

/** Runs in the page before its scripts: observes drawing on canvases. The page is not changed. */
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
    // Start of the display frame, as passed to animation frame callbacks.
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

/** Measures times in a page. Must be created before the page is opened. */
export class Stopwatch {
  readonly #page: Page;
  /** Paint time of each observation, as the page reported it to the server. */
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
        const message = JSON.parse(payload) as { type: string; frames?: [number, number][] };
        if (message.type === "shown") watch.#painted.push(...(message.frames ?? []));
      });
    });
    return watch;
  }

  /**
   * Returns the milliseconds from each press to the first picture in which the paddle has moved. If
   * the game was paused meanwhile, it is resumed and the press is repeated.
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

  /** Returns null if no picture has changed within two seconds. */
  async #timePress(key: string): Promise<number | null> {
    await this.#page.waitForFunction(() => {
      const { measurements } = globalThis as World;
      return performance.now() - measurements.since > 250;
    });
    await this.#page.evaluate(() => (globalThis as World).measurements.arm());
    // Presses are spread over the display frame.
    await this.#page.waitForTimeout(Math.random() * 50);
    await this.#page.keyboard.press(key, { delay: 90 });
    return this.#page.evaluate(() => {
      const timeout = new Promise<null>((resolve) => setTimeout(() => resolve(null), 2000));
      return Promise.race([(globalThis as World).measurements.answer, timeout]);
    });
  }

  /** Returns the milliseconds from the click on a game's card to its first picture. */
  async timeOpening(): Promise<number> {
    const drawn = await this.#page.waitForFunction(() => {
      const { clicked, drawn } = (globalThis as World).measurements;
      return Number.isNaN(drawn) ? null : drawn - clicked;
    });
    return (await drawn.jsonValue()) ?? NaN;
  }

  /** Returns the milliseconds from the click on Start to a picture covered only by the countdown. */
  async timeUnobstructed(): Promise<number> {
    const seen = await this.#page.waitForFunction(() => {
      const { clicked, seen } = (globalThis as World).measurements;
      return Number.isNaN(seen) ? null : seen - clicked;
    });
    return (await seen.jsonValue()) ?? NaN;
  }

  /** Returns the milliseconds from the start message (after the countdown) to the first picture. */
  async timeStart(): Promise<number> {
    const measurements = await this.#page.evaluate(() => (globalThis as World).measurements);
    return measurements.first - measurements.asked;
  }

  /** Returns the gaps between painted observations, and the number of unpainted ones. */
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
      skipped += Math.max(0, frame - before[0] - 1); // frame numbers restart with an episode
    }
    return { gaps, painted: painted.length, skipped };
  }

  /** Slows the page's main thread down by this factor. */
  async slowDown(times: number): Promise<CDPSession> {
    const session = await this.#page.context().newCDPSession(this.#page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: times });
    return session;
  }
}
