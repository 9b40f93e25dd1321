import { defineConfig } from "vitest/config";

// These ask how soon something is answered and how often something is drawn, so each has the machine to itself. All
// others ask what happened: the same however busy the machine is.
const TIMED = ["lockstep", "play", "sound", "times"].map((name) => `${name}.test.ts`);

export default defineConfig({
  root: import.meta.dirname,
  test: {
    environment: "node",
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A second is short for a page on a machine with something else to do, and what is waited for is an event.
    expect: { poll: { timeout: 90_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "parallel",
          include: ["*.test.ts"],
          exclude: TIMED,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "serial",
          include: TIMED,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
