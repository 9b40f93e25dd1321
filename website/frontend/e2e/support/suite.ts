// Set-up that the files of tests share: a browser, a server, and the page of one visitor.
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";

import { openBrowser, openVisit, OUTPUT_FOLDER, saveScreenshot, type Visit } from "./browser";
import { startServer, type TestServer } from "./server";

export interface Suite {
  browser: Browser;
  server: TestServer;
  visit: Visit;
}

interface SuiteOptions {
  /** Environment variables of the server. */
  settings?: Record<string, string>;
  /** Arguments of `website/play`. */
  options?: readonly string[];
  /** Players allow everything when they sign in. */
  consents?: boolean;
}

/**
 * Opens browser, server and a visit before the tests of a file, and closes them afterwards. The
 * server's log is `NAME.log`; a failed test leaves a screenshot of the visit. The result is filled
 * when the first test begins.
 */
export function openSuite(
  name: string,
  { settings = {}, options = [], consents = true }: SuiteOptions = {},
): Suite {
  const suite = {} as Suite;
  beforeAll(async () => {
    suite.browser = await openBrowser({ consents });
    suite.server = await startServer(`${OUTPUT_FOLDER}${name}.log`, settings, options);
    suite.visit = await openVisit(suite.browser, suite.server.url);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail")
      await saveScreenshot(suite.visit.page, `${name}-${task.name.replaceAll(" ", "-")}`);
  });
  afterAll(async () => {
    await suite.browser.close();
    await suite.server.stop();
  });
  return suite;
}
