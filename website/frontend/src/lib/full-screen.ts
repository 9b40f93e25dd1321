import { useSyncExternalStore } from "react";

function subscribe(listener: () => void): () => void {
  document.addEventListener("fullscreenchange", listener);
  return () => document.removeEventListener("fullscreenchange", listener);
}

function toggle(): void {
  const change =
    document.fullscreenElement === null
      ? document.documentElement.requestFullscreen()
      : document.exitFullscreen();
  // The browser may refuse; then the window stays as it is, which one sees.
  change.catch(() => undefined);
}

/** Whether the page fills the screen, and a way to turn that over; null where the browser has none. */
export function useFullScreen(): [boolean, (() => void) | null] {
  const isFull = useSyncExternalStore(subscribe, () => document.fullscreenElement !== null);
  return [isFull, document.fullscreenEnabled ? toggle : null];
}
