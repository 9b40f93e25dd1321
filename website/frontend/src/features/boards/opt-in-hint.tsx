import { Trans, useLingui } from "@lingui/react";
import { Link } from "react-router";

import { useSession } from "@/api/session";
import { paths } from "@/config/paths";

/** Says how to get on the board, to those who are not on it. */
export function OptInHint({ isListed, hasOwn }: { isListed: boolean; hasOwn: boolean }) {
  const { i18n } = useLingui();
  const session = useSession();
  if (hasOwn) return null;
  const linkClass = "font-semibold text-link underline";
  return (
    <p className="mt-8 max-w-prose text-pretty text-dim">
      {isListed ? (
        i18n._(
          "You are on leaderboards. A finished round ranks here within a minute, once it is certified.",
        )
      ) : session === null ? (
        <Trans
          id="<0>Sign in</0> and opt in to take a place."
          components={[
            <Link key="link" to={paths.signIn(`${paths.account}#boards`)} className={linkClass} />,
          ]}
        />
      ) : (
        <Trans
          id="Your rounds rank only if you want it. <0>Opt in</0> to take a place."
          components={[<Link key="link" to={`${paths.account}#boards`} className={linkClass} />]}
        />
      )}
    </p>
  );
}
