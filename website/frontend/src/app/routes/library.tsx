import { useEffect } from "react";

import { Title } from "@/components/title";
import { Library } from "@/features/games/library";

/** After the first look at the library; what comes with it goes first. */
const LOOK_MS = 400;

export function LibraryRoute() {
  useEffect(fetchMachine, []);
  return (
    <>
      <Title>{""}</Title>
      <Library />
    </>
  );
}

/** The page that games are played on comes while one is chosen. Should it not, the router asks for it again. */
function fetchMachine(): () => void {
  const timer = setTimeout(() => {
    import("./play").catch(() => undefined);
  }, LOOK_MS);
  return () => clearTimeout(timer);
}
