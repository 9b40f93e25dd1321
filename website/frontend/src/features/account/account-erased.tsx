import { useLingui } from "@lingui/react";
import { Link } from "react-router";

import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { paths } from "@/config/paths";
import { formatCount } from "@/lib/format";

import type { ErasureOutcome } from "./erase-account";

/** Confirmation after the account was deleted. */
export function AccountErased({ outcome }: { outcome: ErasureOutcome }) {
  const { i18n } = useLingui();
  const { finished, episodes, steps, signInDeleted } = outcome;
  return (
    <Message
      isPage
      title={finished ? i18n._("Account deleted") : i18n._("Account closed")}
      action={
        <Link className={buttonClass("action")} to={paths.games}>
          {i18n._("All games")}
        </Link>
      }
    >
      <p>
        {finished
          ? i18n._(
              "{rounds} with {steps} were deleted, including all pictures. Thank you for playing.",
              { rounds: formatCount(episodes, "round"), steps: formatCount(steps, "step") },
            )
          : i18n._(
              "Nobody can sign in to this account any more. The recordings are still being deleted; you can close this page.",
            )}
      </p>
      {!signInDeleted && (
        <p className="mt-3">
          {i18n._(
            "Your sign-in record at Google was not deleted, because you signed in too long ago. Sign in again and delete the account again to remove it.",
          )}
        </p>
      )}
    </Message>
  );
}
