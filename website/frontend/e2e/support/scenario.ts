// Scenario: a sequence of tests that share a page and depend on the steps before.
import { test, type TestContext } from "vitest";

type Step = (title: string, run: (context: TestContext) => Promise<void> | void) => void;

/** Returns a function that declares a step. After a failed step the remaining ones are skipped. */
export function createScenario(timeoutMs?: number): Step {
  let failedStep: string | null = null;
  return (title, run) => {
    test(title, { ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }) }, async (context) => {
      if (failedStep !== null) context.skip(`an earlier step failed: ${failedStep}`);
      context.onTestFailed(() => {
        failedStep ??= title;
      });
      await run(context);
    });
  };
}
