import { lazy, Suspense, useEffect } from "react";

import { Title } from "@/components/title";
import { Library } from "@/features/games/library";

const DailyCard = lazy(async () => ({
  default: (await import("@/features/boards/daily-card")).DailyCard,
}));

/** Delay before other pages are prefetched, so that the library loads first. */
const PREFETCH_DELAY_MS = 400;

export function LibraryRoute() {
  useEffect(prefetchPages, []);
  return (
    <>
      <Title>{""}</Title>
      <Library>
        {/* Space is reserved, so that the games do not move when it appears. */}
        <div className="mb-10 min-h-48 sm:min-h-26">
          <Suspense>
            <DailyCard />
          </Suspense>
        </div>
      </Library>
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
