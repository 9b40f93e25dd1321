import { useEffect } from "react";

import { Title } from "@/components/title";
import { Library } from "@/features/games/library";

/** After the first look at the library; what comes with it goes first. */
const LOOK_MS = 400;

export function LibraryRoute() {
  useEffect(fetchNext, []);
  return (
    <>
      <Title>{""}</Title>
      <Library />
    </>
  );
}

/** The pages that come next come while a game is chosen. Should they not, the router asks for them again. */
function fetchNext(): () => void {
  const timer = setTimeout(() => {
    for (const page of [import("./play"), import("./sign-in"), import("./you")]) {
      page.catch(() => undefined);
    }
  }, LOOK_MS);
  return () => clearTimeout(timer);
}
