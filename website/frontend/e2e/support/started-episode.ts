import type { Page } from "playwright-core";

/** Returns the id of the next episode that starts on a page. Call it before the page opens its socket. */
export async function readStartedEpisode(page: Page): Promise<string> {
  return new Promise((resolve) => {
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        const text = typeof payload === "string" ? payload : "{}";
        const { type, episode } = JSON.parse(text) as { type?: string; episode?: string };
        if (type === "started" && episode !== undefined) resolve(episode);
      }),
    );
  });
}
