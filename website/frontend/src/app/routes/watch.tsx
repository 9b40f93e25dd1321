import { useLocation } from "react-router";

import { WatchPage } from "@/features/watch/watch-page";

/** The token is in the fragment, which browsers do not send to servers. */
export function WatchRoute() {
  const { hash } = useLocation();
  const token = hash.slice(1);
  return <WatchPage key={token} token={token} />;
}
