import { Link } from "react-router";

import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { paths } from "@/config/paths";
import { formatCount } from "@/lib/format";

import type { ErasureOutcome } from "./erase-account";

/** Confirmation after the account was deleted. */
export function AccountErased({ outcome }: { outcome: ErasureOutcome }) {
  const { finished, episodes, steps, signInDeleted } = outcome;
  return (
    <Message
      isPage
      title={finished ? "Account deleted" : "Account closed"}
      action={
        <Link className={buttonClass("action")} to={paths.games}>
          All games
        </Link>
      }
    >
      <p>
        {finished
          ? `${formatCount(episodes, "round")} with ${formatCount(steps, "step")} were deleted, including all pictures. Thank you for playing.`
          : "Nobody can sign in to this account any more. The recordings are still being deleted; you can close this page."}
      </p>
      {!signInDeleted && (
        <p className="mt-3">
          Your sign-in record at Google was not deleted, because you signed in too long ago. Sign in
          again and delete the account again to remove it.
        </p>
      )}
    </Message>
  );
}
