import { useSyncExternalStore } from "react";

/** Whether a media query holds, now and as it changes. */
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

/** The person asks their system for as little motion as can be. */
export const usePrefersReducedMotion = (): boolean =>
  useMediaQuery("(prefers-reduced-motion: reduce)");

/** The person has fingers rather than keys. */
export const useHasTouch = (): boolean => useMediaQuery("(any-pointer: coarse)");
