import { useMutation, useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";

import type { Erased } from "@/api/client";
import { summaryQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { Button } from "@/components/button";
import { formatCount } from "@/lib/format";

const CONFIRMATION_WORD = "erase";

/** What came of an erasure. `closed`: the account that one signed in with is gone too, where that is somebody else's. */
export interface ErasureOutcome extends Erased {
  signInDeleted: boolean;
}

/** The end of an account, behind a word that must be typed. */
export function EraseAccount({
  session,
  erase,
}: {
  session: Session;
  erase: (word: string) => Promise<void>;
}) {
  const summary = useQuery(summaryQuery(session.userId));
  const played = summary.data?.episodes ?? 0;
  const field = useId();
  const [word, setWord] = useState("");
  const erasing = useMutation({ mutationFn: erase });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    erasing.mutate(word);
  };
  return (
    <section aria-labelledby="erase" className="mt-14 max-w-2xl border-t border-line/60 pt-8">
      <h2 id="erase" className="text-4xl sign">
        Leave for good
      </h2>
      <p className="mt-2 text-pretty text-dim">
        This erases the account {session.email ?? "of this guest"} and{" "}
        {played === 0 ? "all that" : `all ${formatCount(played, "round")} that`} you played: scores,
        pictures, keys and times. It can’t be taken back. What researchers have already downloaded,
        without your name, is out of our reach.
      </p>
      <form onSubmit={submit} className="mt-5 flex flex-wrap items-end gap-3">
        <label htmlFor={field} className="grid gap-1.5">
          <span>
            Type <b>{CONFIRMATION_WORD}</b> to confirm
          </span>
          <input
            id={field}
            value={word}
            onChange={(event) => setWord(event.target.value)}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            className="min-h-11 w-56 rounded-xl border border-line bg-surface px-4"
          />
        </label>
        <Button
          type="submit"
          look="plain"
          disabled={erasing.isPending || word.trim().toLowerCase() !== CONFIRMATION_WORD}
        >
          {erasing.isPending ? "Erasing…" : "Erase everything"}
        </Button>
      </form>
      {erasing.isError && (
        <p role="alert" className="mt-4 font-semibold text-link">
          {erasing.error.message}
        </p>
      )}
    </section>
  );
}
