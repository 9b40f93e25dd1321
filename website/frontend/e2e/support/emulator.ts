// The emulator in the page: the page shows nothing of its coming, so its worker is listened to.
import type { BrowserContext, Page } from "playwright-core";

type World = typeof globalThis & { emulators?: number };

/** Before the page is opened: counts the emulators that say they are there. */
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

/** Until a game that is started now is played in the page. */
export async function waitForEmulator(page: Page): Promise<void> {
  await page.waitForFunction(() => ((globalThis as World).emulators ?? 0) > 0);
}
