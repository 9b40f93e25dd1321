import { Link } from "react-router";

import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { paths } from "@/config/paths";
import { formatCount } from "@/lib/format";

import type { ErasureOutcome } from "./erase-account";

/** What is said to somebody who has just erased their account. */
export function AccountErased({ outcome }: { outcome: ErasureOutcome }) {
  const { finished, episodes, steps, signInDeleted } = outcome;
  return (
    <Message
      isPage
      title={finished ? "All of it is gone" : "Your account is closed"}
      action={
        <Link className={buttonClass("action")} to={paths.games}>
          All games
        </Link>
      }
    >
      <p>
        {finished
          ? `${formatCount(episodes, "round")} with ${formatCount(steps, "step")} were erased, with their pictures. Thank you for playing.`
          : "Nobody can sign in to it any more. What was recorded takes a little longer; it is being erased without you."}
      </p>
      {!signInDeleted && (
        <p className="mt-3">
          Only the sign-in itself is still known to Google, since you signed in a while ago. Sign in
          once more and erase again, and it goes too.
        </p>
      )}
    </Message>
  );
}
