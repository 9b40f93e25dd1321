import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";

import { myConsentQuery } from "@/api/consent";
import { useSession } from "@/api/session";
import { Title } from "@/components/title";
import { Library } from "@/features/games/library";

const DailyCard = lazy(async () => ({
  default: (await import("@/features/boards/daily-card")).DailyCard,
}));

/** Delay before anything is prefetched, so that the library loads first. */
const PREFETCH_DELAY_MS = 400;

export function LibraryRoute() {
  useEffect(() => afterLibrary(prefetchPages), []);
  usePrefetchedConsent();
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

/** Fetches the player's consent, without which no game opens, before a game is chosen. */
function usePrefetchedConsent(): void {
  const client = useQueryClient();
  const userId = useSession()?.userId ?? null;
  useEffect(() => {
    if (userId === null) return;
    return afterLibrary(() => {
      client.query(myConsentQuery(userId)).catch(() => undefined); // the game's page asks again
    });
  }, [client, userId]);
}

/** Prefetches the next pages. If that fails, the router loads them on navigation. */
function prefetchPages(): void {
  for (const page of [import("./play"), import("./sign-in"), import("./account")]) {
    page.catch(() => undefined);
  }
}

function afterLibrary(act: () => void): () => void {
  const timer = setTimeout(act, PREFETCH_DELAY_MS);
  return () => clearTimeout(timer);
}
