import { useEffect } from "react";

import { Title } from "@/components/title";
import { Library } from "@/features/games/library";

/** After the first look at the library; what comes with it goes first. */
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

/** The pages that come next come while a game is chosen. Should they not, the router asks for them again. */
function prefetchPages(): () => void {
  const timer = setTimeout(() => {
    for (const page of [import("./play"), import("./sign-in"), import("./account")]) {
      page.catch(() => undefined);
    }
  }, PREFETCH_DELAY_MS);
  return () => clearTimeout(timer);
}
