// Waits for the emulator in the page. The page does not show when it is loaded, so the messages of
// its worker are observed.
import type { BrowserContext, Page } from "playwright-core";

type World = typeof globalThis & { emulators?: number };

/** Counts emulators that report to be loaded. Must be called before the page is opened. */
export async function countLoadedEmulators(place: BrowserContext | Page): Promise<void> {
  await place.addInitScript(() => {
    const world = globalThis as World;
    world.emulators = 0;
    globalThis.Worker = class extends Worker {
      constructor(...all: ConstructorParameters<typeof Worker>) {
        super(...all);
        this.addEventListener("message", ({ data }: MessageEvent<{ kind?: string } | null>) => {
          if (data?.kind === "loaded") world.emulators = (world.emulators ?? 0) + 1;
        });
      }
    };
  });
}

/** Waits until an emulator is loaded, so that the next game runs in lockstep. */
export async function waitForEmulator(page: Page): Promise<void> {
  await page.waitForFunction(() => ((globalThis as World).emulators ?? 0) > 0);
}
