import { useEffect } from "react";

import { Title } from "@/components/title";
import { Library } from "@/features/games/library";

/** Delay before other pages are prefetched, so that the library loads first. */
const PREFETCH_DELAY_MS = 400;

export function LibraryRoute() {
  useEffect(prefetchPages, []);
  return (
    <>
      <Title>{""}</Title>
      <Library />
    </>
  );
}

/** Prefetches the next pages. If that fails, the router loads them on navigation. */
function prefetchPages(): () => void {
  const timer = setTimeout(() => {
    for (const page of [import("./play"), import("./sign-in"), import("./account")]) {
      page.catch(() => undefined);
    }
  }, PREFETCH_DELAY_MS);
  return () => clearTimeout(timer);
}
