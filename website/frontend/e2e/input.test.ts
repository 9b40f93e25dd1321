// Plays by keyboard, touch, mouse and gamepad, and checks the inputs that the page sends.
import AxeBuilder from "@axe-core/playwright";
import { type Browser, type BrowserContext, devices, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { type TestServer, startServer } from "./support/server";
import { saveScreenshot, openBrowser, openVisit, OUTPUT_FOLDER } from "./support/browser";
import { findPaddle } from "./support/screen";
import { signIn } from "./support/sign-in";

let server: TestServer;
let browser: Browser;
let page: Page;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}input-server.log`);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await saveScreenshot(page, task.name.replaceAll(" ", "-"));
  for (const context of contexts.splice(0)) await context.close();
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

async function visit(email: string): Promise<void> {
  const opened = await openVisit(browser, server.url);
  contexts.push(opened.context);
  page = opened.page;
  await signIn(page, email);
}

/** Returns the accessibility violations of the page. Finite animations are awaited first. */
async function findViolations(): Promise<string[]> {
  await page.evaluate(async () => {
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(ending.map((motion) => motion.finished.catch(() => null)));
  });
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** Messages that the page sends from now on. */
function recordMessages(): Record<string, unknown>[] {
  const messages: Record<string, unknown>[] = [];
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => {
      messages.push(JSON.parse(String(payload)) as Record<string, unknown>);
    });
  });
  return messages;
}

/** Inputs that the page has sent: as messages, or with the steps of a lockstep game. */
const inputs = (messages: readonly Record<string, unknown>[]) =>
  messages
    .flatMap((message) =>
      message.type === "ticks" ? (message.inputs as typeof messages) : [message],
    )
    .filter(({ control }) => control !== undefined);

/** Device and control of each press. */
const pressed = (messages: readonly Record<string, unknown>[]) =>
  inputs(messages)
    .filter(({ down }) => down === true)
    .map(({ control, device }) => `${String(device)} ${String(control)}`);

describe("keyboard", () => {
  test("changed keys persist after a reload and on another device", async () => {
    await visit("keys@example.org");
    await page.goto("/play/tower-of-hanoi");
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByRole("button", { name: "Change keys" }).click();
    const saved = page.waitForResponse((answer) => answer.request().method() === "PUT");
    await page.getByRole("button", { name: /Change key for First pole/ }).click();
    await page.keyboard.press("KeyQ");
    await saved;
    expect(await findViolations()).toEqual([]);
    await page.reload();
    await playWith("KeyQ");

    await visit("keys@example.org");
    await page.goto("/play/tower-of-hanoi");
    await playWith("KeyQ");
  });

  test.each(["layout map", "pressed key"])(
    "labels of an AZERTY keyboard come from its %s, and bindings stay positions",
    async (source) => {
      await visit(`azerty-${source.replace(" ", "-")}@example.org`);
      if (source === "layout map") {
        await page.addInitScript(() => {
          const getLayoutMap = () => Promise.resolve(new Map([["KeyQ", "a"]]));
          Object.defineProperty(navigator, "keyboard", { value: { getLayoutMap } });
        });
      }
      const messages = recordMessages();
      await page.goto("/play/tower-of-hanoi");
      await page.waitForSelector('[data-phase="ready"]');
      await page.getByRole("button", { name: "Change keys" }).click();
      await page.getByRole("button", { name: /Change key for First pole/ }).click();
      const debuggerSession = await page.context().newCDPSession(page);
      const aKey = { code: "KeyQ", key: "a", windowsVirtualKeyCode: 65 };
      await debuggerSession.send("Input.dispatchKeyEvent", { type: "keyDown", text: "a", ...aKey });
      await debuggerSession.send("Input.dispatchKeyEvent", { type: "keyUp", ...aKey });
      await page.getByRole("button", { name: /First pole, currently A/ }).waitFor();
      if (process.env.PICTURES !== undefined) await saveScreenshot(page, "azerty");
      await expect
        .poll(() => messages.filter(({ type }) => type === "setup").at(-1))
        .toMatchObject({ keys: { "pole-1": ["KeyQ"] } });
    },
  );

  test("replaced key sends no input, and resetting restores the default keys", async () => {
    await visit("standard@example.org");
    const messages = recordMessages();
    await page.goto("/play/tower-of-hanoi");
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByRole("button", { name: "Change keys" }).click();
    await page.getByRole("button", { name: /Change key for First pole/ }).click();
    await page.keyboard.press("KeyQ");
    await page.getByRole("button", { name: /First pole, currently Q/ }).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    await page.waitForSelector('[data-phase="playing"]');
    await page.keyboard.press("Digit1");
    await page.getByRole("button", { name: "Reset keys" }).click();
    await page.keyboard.press("Digit1");
    await expect.poll(() => pressed(messages)).toEqual(["keyboard pole-1"]);
    expect(messages.filter(({ type }) => type === "setup").at(-1)).toMatchObject({
      keys: { "pole-1": expect.arrayContaining(["Digit1"]) as string[] },
    });
  });

  async function playWith(key: string): Promise<void> {
    await page.waitForSelector('[data-phase="ready"],[data-phase="paused"]');
    await page.getByRole("button", { name: /^(Start|Resume)$/ }).click();
    await page.waitForSelector('[data-phase="playing"]');
    await page.keyboard.press(key);
    await expect.poll(() => page.getByTestId("time").textContent()).not.toBe("0");
  }
});

describe("touch", () => {
  test("two fingers press two controls, and the left-handed layout mirrors the controls", async () => {
    const context = await browser.newContext({ ...devices["Pixel 7"], baseURL: server.url });
    contexts.push(context);
    page = await context.newPage();
    await signIn(page, "fingers@example.org");
    const messages = recordMessages();
    await page.goto("/play/breakout");
    await page.waitForSelector('[data-phase="ready"]');
    expect(await findViolations()).toEqual([]);
    await page.getByRole("button", { name: "Start" }).tap();
    await page.waitForSelector('[data-phase="playing"]');

    const pad = await boxOf('[data-testid="pad"]');
    const serve = await boxOf(".deck button");
    expect(serve.x).toBeGreaterThan(pad.x);
    const left = { x: pad.x + 0.15 * pad.width, y: pad.y + pad.height / 2, id: 1 };
    const fire = { x: serve.x + serve.width / 2, y: serve.y + serve.height / 2, id: 2 };
    const debuggerSession = await context.newCDPSession(page);
    const touch = (type: "touchStart" | "touchEnd", touchPoints: (typeof left)[]) =>
      debuggerSession.send("Input.dispatchTouchEvent", { type, touchPoints });
    await touch("touchStart", [left]);
    await touch("touchStart", [left, fire]);
    await expect.poll(() => pressed(messages)).toEqual(["touch left", "touch fire"]);
    // While both are held, only the newest press acts, so fire is released before left is checked.
    await touch("touchEnd", []);
    await touch("touchStart", [left]);
    await expect.poll(() => findPaddle(page)).toBeLessThan(20);
    await touch("touchEnd", []);

    await page.getByRole("button", { name: "Pause" }).tap();
    await page.waitForSelector('[data-phase="paused"]');
    await page.getByLabel("Left-handed buttons").check();
    const [padThen, serveThen] = [await boxOf('[data-testid="pad"]'), await boxOf(".deck button")];
    expect(serveThen.x).toBeLessThan(padThen.x);
    await expect
      .poll(() => messages.filter(({ type }) => type === "setup").at(-1))
      .toMatchObject({ hand: "left", touch: true });
  });

  test("touches outside the controls do not zoom, and while playing they select nothing", async () => {
    const context = await browser.newContext({ ...devices["Pixel 7"], baseURL: server.url });
    contexts.push(context);
    page = await context.newPage();
    await signIn(page, "zoom@example.org");
    await page.goto("/play/tower-of-hanoi");
    await page.waitForSelector('[data-phase="ready"]');
    const styles = () =>
      page.evaluate(() =>
        ["body", ".machine", ".deck", ".deck button", "[data-testid=screen]"].map((selector) => {
          const element = document.querySelector(selector);
          if (element === null) throw new Error(`${selector} is missing`);
          const { touchAction, userSelect } = getComputedStyle(element);
          return `${selector} ${touchAction} ${userSelect}`;
        }),
      );
    expect(await styles()).toEqual([
      "body auto auto",
      ".machine manipulation auto",
      ".deck manipulation auto",
      ".deck button none none",
      "[data-testid=screen] manipulation auto",
    ]);
    await page.getByRole("button", { name: "Start" }).tap();
    await page.waitForSelector('[data-phase="playing"]');
    expect(await styles()).toEqual([
      "body none none",
      ".machine none none",
      ".deck none none",
      ".deck button none none",
      "[data-testid=screen] none none",
    ]);
    // Chromium does not know this property of iOS, so the style sheet itself is read.
    const styleSheet = await page.evaluate(async () => {
      const link = document.querySelector<HTMLLinkElement>('link[rel="stylesheet"]');
      return link === null ? "" : (await fetch(link.href)).text();
    });
    expect(styleSheet).toContain("-webkit-touch-callout:none");
    expect(styleSheet).toContain("-webkit-user-select:none");
    // A double tap between the controls leaves the scale of the page as it is.
    const deck = await boxOf(".deck");
    for (let tap = 0; tap < 2; tap++) await page.touchscreen.tap(deck.x + 3, deck.y + 12);
    expect(await page.evaluate(() => visualViewport?.scale)).toBe(1);
  });

  test("press vibrates unless vibration is off or reduced motion is requested", async () => {
    const context = await browser.newContext({ ...devices["Pixel 7"], baseURL: server.url });
    contexts.push(context);
    page = await context.newPage();
    await page.addInitScript(() => {
      const vibrations: unknown[] = [];
      Object.assign(window, { vibrations });
      navigator.vibrate = (pattern) => vibrations.push(pattern) > 0;
    });
    const vibrations = () =>
      page.evaluate(
        () => (window as unknown as { vibrations: unknown[] }).vibrations.splice(0).length,
      );
    await signIn(page, "haptics@example.org");
    const messages = recordMessages();
    await page.goto("/play/tower-of-hanoi");
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByRole("button", { name: "Start" }).tap();
    await page.waitForSelector('[data-phase="playing"]');
    const presses = async (count: number) => {
      await page.locator(".deck button").first().tap();
      await expect.poll(() => pressed(messages).length).toBe(count);
    };
    await presses(1);
    expect(await vibrations()).toBe(1);
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.getByText("Vibration is off because").waitFor();
    await presses(2);
    expect(await vibrations()).toBe(0);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    await page.getByLabel("Vibration").uncheck();
    await presses(3);
    expect(await vibrations()).toBe(0);
  });

  async function boxOf(selector: string) {
    const box = await page.locator(selector).first().boundingBox();
    if (box === null) throw new Error(`${selector} is not to be seen`);
    return box;
  }
});

describe("gamepad", () => {
  /** Replaces the browser's gamepads. */
  interface FakeGamepads {
    pads: (object | null)[];
  }

  const plug = (mapping: "standard" | "" = "standard", axes = [0, 0, 0, 0]) =>
    page.evaluate(
      ({ mapping, axes }) => {
        const button = () => ({ pressed: false, touched: false, value: 0 });
        const buttons = Array.from({ length: 17 }, button);
        const pad = { id: "Simulated pad", index: 0, connected: true, mapping };
        const connectedPad = { ...pad, timestamp: 1, axes, buttons, vibrationActuator: null };
        (window as unknown as FakeGamepads).pads = [connectedPad];
        dispatchEvent(new Event("gamepadconnected"));
      },
      { mapping, axes },
    );
  const hold = (index: number, down: boolean) =>
    page.evaluate(
      ([index, down]) => {
        const [pad] = (window as unknown as FakeGamepads).pads as [{ buttons: object[] }];
        pad.buttons[index] = { pressed: down, touched: down, value: Number(down) };
      },
      [index, down] as const,
    );
  const setAxis = (axis: number, value: number) =>
    page.evaluate(
      ([axis, value]) => {
        const [pad] = (window as unknown as FakeGamepads).pads as [{ axes: number[] }];
        pad.axes[axis] = value;
      },
      [axis, value] as const,
    );
  const steer = (x: number) => setAxis(0, x);

  /** Opens Breakout in a browser without gamepads yet, and returns the messages that the page sends. */
  async function openWithGamepads(email: string): Promise<ReturnType<typeof recordMessages>> {
    await visit(email);
    await page.addInitScript(() => {
      const fake = window as unknown as FakeGamepads;
      fake.pads = [];
      navigator.getGamepads = () => fake.pads as (Gamepad | null)[];
    });
    const messages = recordMessages();
    await page.goto("/play/breakout");
    await page.waitForSelector('[data-phase="ready"]');
    return messages;
  }

  test("gamepad connected while the page is open plays the game, and disconnecting pauses it", async () => {
    const messages = await openWithGamepads("gamepad@example.org");
    await plug();
    await page.getByText("Gamepad: Simulated pad").waitFor();
    await hold(0, true);
    await page.waitForSelector('[data-phase="countdown"]');
    await hold(0, false);
    await page.waitForSelector('[data-phase="playing"]');
    await steer(0.2);
    await steer(-1);
    await expect.poll(() => findPaddle(page)).toBeLessThan(20);
    await steer(0);
    await hold(0, true);
    await expect.poll(() => pressed(messages)).toEqual(["gamepad left", "gamepad fire"]);
    await page.evaluate(() => ((window as unknown as FakeGamepads).pads = []));
    await page.waitForSelector('[data-phase="paused"]');
    expect(messages.filter(({ type }) => type === "setup").map(({ gamepads }) => gamepads)).toEqual(
      expect.arrayContaining([[], ["Simulated pad"]]),
    );
  });

  test.each([
    ["hat on axis 9", [0, 0, 0, 0, 0, 0, 0, 0, 0, 23 / 7], 9, 5 / 7, 23 / 7],
    ["cross on axes 6 and 7", [0, 0, 0, 0, 0, 0, 0, 0], 6, -1, 0],
  ] as const)(
    "gamepad without the standard mapping steers by its %s",
    async (_, axes, axis, left, rest) => {
      const messages = await openWithGamepads(`gamepad-axis-${String(axis)}@example.org`);
      await plug("", [...axes]);
      await page.getByText("Gamepad: Simulated pad").waitFor();
      await page.getByRole("button", { name: "Start", exact: true }).click();
      await page.waitForSelector('[data-phase="playing"]');
      const earliest = await page.evaluate(() => performance.now());
      await setAxis(axis, left);
      await expect.poll(() => findPaddle(page)).toBeLessThan(20);
      await setAxis(axis, rest);
      await expect.poll(() => pressed(messages)).toEqual(["gamepad left"]);
      // The simulated gamepad's timestamp is always 1, which is not the time of the press.
      const [press] = inputs(messages).filter(({ down }) => down === true);
      expect(Number(press?.at)).toBeGreaterThan(earliest);
    },
  );
});

describe("analogue control", () => {
  test("mouse held on the screen steers at the selected speed", async () => {
    await visit("mouse@example.org");
    const messages = recordMessages();
    const addresses: string[] = [];
    page.on("websocket", (socket) => addresses.push(socket.url()));
    await page.goto("/play/pendulum");
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByLabel("Speed").selectOption("0.5");
    await expect.poll(() => addresses.at(-1)).toContain("speed=0.5");
    await page.waitForSelector('[data-phase="ready"]');
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForSelector('[data-phase="playing"]');
    const box = await page.getByTestId("screen").boundingBox();
    if (box === null) throw new Error("no screen");
    await page.mouse.move(box.x + 0.98 * box.width, box.y + box.height / 2);
    await page.mouse.down();
    await expect.poll(() => pressed(messages)).toEqual(["mouse right", "mouse fire"]);
    await page.mouse.up();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.waitForSelector('[data-phase="paused"]');
    expect(await findViolations()).toEqual([]);
  });
});
