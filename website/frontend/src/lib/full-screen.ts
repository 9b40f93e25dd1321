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
  // If the browser refuses, the window stays as it is.
  change.catch(() => undefined);
}

/**
 * Returns whether the page is in full screen, and a function to toggle it (null if unsupported).
 */
export function useFullScreen(): [boolean, (() => void) | null] {
  const isFull = useSyncExternalStore(subscribe, () => document.fullscreenElement !== null);
  return [isFull, document.fullscreenEnabled ? toggle : null];
}
