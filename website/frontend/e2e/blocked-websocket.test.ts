// Play behind a proxy that blocks WebSockets.
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { type TestServer, startServer } from "./support/server";
import { type BlockingProxy, startBlockingProxy } from "./support/blocking-proxy";
import { openBrowser, openVisit, OUTPUT_FOLDER, saveScreenshot } from "./support/browser";

let server: TestServer;
let browser: Browser;
let page: Page;
let proxy: BlockingProxy;

beforeAll(async () => {
  browser = await openBrowser();
  server = await startServer(`${OUTPUT_FOLDER}blocked-server.log`);
  proxy = await startBlockingProxy(server.url);
  ({ page } = await openVisit(browser, proxy.url));
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill("blocked@example.org");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${proxy.url}/`);
});

afterEach(async ({ task }) => {
  if (task.result?.state === "fail" || process.env.PICTURES !== undefined)
    await saveScreenshot(page, task.name.replaceAll(" ", "-"));
});

afterAll(async () => {
  proxy.close();
  await browser.close();
  await server.stop();
});

describe("blocked WebSockets", () => {
  test.each(["refuse", "hang"] as const)(
    "proxy that lets handshakes %s is reported within 10 s, and Try again connects later",
    async (mode) => {
      proxy.websockets = mode;
      await page.goto("/play/breakout");
      // The time counts from the first handshake, because loading the page depends on the machine.
      await page.waitForSelector('[data-phase="connecting"], [data-phase="reconnecting"]');
      const tryAgain = page.getByRole("button", { name: "Try again" });
      await tryAgain.waitFor({ timeout: 10_000 });
      expect(await page.locator("main").innerText()).toContain(new URL(proxy.url).host);
      if (process.env.PICTURES !== undefined) await saveScreenshot(page, `websocket-${mode}`);
      proxy.websockets = "forward";
      await tryAgain.click();
      await page.waitForSelector('[data-phase="ready"]');
    },
  );

  test("stopped server is not reported as blocked WebSockets", async () => {
    proxy.websockets = "forward";
    await page.goto("/play/breakout");
    await page.waitForSelector('[data-phase="ready"]');
    await server.stop();
    await page.waitForSelector('[data-phase="reconnecting"]');
    await page.waitForTimeout(10_000);
    expect(await page.getByRole("button", { name: "Reconnect" }).isVisible()).toBe(true);
    expect(await page.getByRole("button", { name: "Try again" }).isVisible()).toBe(false);
  });
});
