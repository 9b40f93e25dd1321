// Draws sets of clips with the command line, and reads what judges answered.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Page } from "playwright-core";

const BACKEND = fileURLToPath(new URL("../../../backend/", import.meta.url));

export interface SetResult {
  n_judgements: number;
  judges: { counts: Record<string, number>; n_repeats: number; consistency: number | null }[];
}

/** Runs `skill-arcade judgements` on the data folder of a server, and returns its output. */
export async function runJudgements(data: string, ...options: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(
    `${BACKEND}.venv/bin/python`,
    ["-m", "skill_arcade", "judgements", ...options],
    {
      cwd: data,
      env: {
        ...process.env,
        DATABASE_URL: undefined,
        SKILL_ARCADE_HOME: data,
        PYTHONPATH: BACKEND,
      },
    },
  );
  return stdout;
}

export async function readResult(data: string, name: string): Promise<SetResult> {
  return JSON.parse(await runJudgements(data, "show", name, "--json")) as SetResult;
}

/** Waits until both clips of an item are drawn. */
export async function waitForClips(page: Page, count = 2): Promise<void> {
  for (let index = 0; index < count; index++)
    await page.waitForSelector(`[data-testid="clip-${String(index)}"][data-frame]`);
}

/** Returns the frames that two clips showed together, at each animation frame for this time. */
export async function readFramePairs(page: Page, seconds: number): Promise<[number, number][]> {
  return page.evaluate(async (seconds) => {
    const canvases = [0, 1].map((index) =>
      document.querySelector<HTMLCanvasElement>(`[data-testid="clip-${String(index)}"]`),
    );
    const pairs: [number, number][] = [];
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const [left, right] = canvases.map((canvas) => Number(canvas?.dataset.frame ?? -1));
      pairs.push([left ?? -1, right ?? -1]);
    }
    return pairs;
  }, seconds);
}
