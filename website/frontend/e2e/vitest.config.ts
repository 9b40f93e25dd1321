import { defineConfig } from "vitest/config";

// Tests that measure times and rates run alone. The results of the other tests do not depend on the
// load of the machine.
const TIMED = ["lockstep", "play", "sound", "times"].map((name) => `${name}.test.ts`);

export default defineConfig({
  root: import.meta.dirname,
  test: {
    environment: "node",
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The default of 1 s is too short on a busy machine. A longer timeout slows only failing tests.
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
