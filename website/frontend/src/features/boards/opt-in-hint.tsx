import { Link } from "react-router";

import { useSession } from "@/api/session";
import { paths } from "@/config/paths";

/** Says how to get on the board, to those who are not on it. */
export function OptInHint({ isListed, hasOwn }: { isListed: boolean; hasOwn: boolean }) {
  const session = useSession();
  if (hasOwn) return null;
  const linkClass = "font-semibold text-link underline";
  return (
    <p className="mt-8 max-w-prose text-pretty text-dim">
      {isListed ? (
        "You are on leaderboards. A finished round ranks here within a minute, once it is certified."
      ) : session === null ? (
        <>
          <Link to={paths.signIn(`${paths.account}#boards`)} className={linkClass}>
            Sign in
          </Link>{" "}
          and opt in to take a place.
        </>
      ) : (
        <>
          Your rounds rank only if you want it.{" "}
          <Link to={`${paths.account}#boards`} className={linkClass}>
            Opt in
          </Link>{" "}
          to take a place.
        </>
      )}
    </p>
  );
}
