import type { Page } from "playwright-core";

/** Returns the id of the next episode that starts on a page. Call it before the page opens its socket. */
export async function readStartedEpisode(page: Page): Promise<string> {
  return new Promise((resolve) => onStartedEpisode(page, resolve));
}

/** Returns the ids of the episodes that start on a page from now on. The array grows. */
export function collectStartedEpisodes(page: Page): string[] {
  const started: string[] = [];
  onStartedEpisode(page, (episode) => started.push(episode));
  return started;
}

function onStartedEpisode(page: Page, report: (episode: string) => void): void {
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const text = typeof payload === "string" ? payload : "{}";
      const { type, episode } = JSON.parse(text) as { type?: string; episode?: string };
      if (type === "started" && episode !== undefined) report(episode);
    }),
  );
}
