import { useSyncExternalStore } from "react";

/** Returns whether a media query matches, and follows its changes. */
export function useMediaQuery(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    () => matchMedia(query).matches,
  );
}

/** Returns whether the system requests reduced motion. */
export const usePrefersReducedMotion = (): boolean =>
  useMediaQuery("(prefers-reduced-motion: reduce)");

/** Returns whether the device has a touch screen. */
export const useHasTouch = (): boolean => useMediaQuery("(any-pointer: coarse)");
