import { Trans, useLingui } from "@lingui/react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";

import type { ErasureResult } from "@/api/client";
import { summaryQuery } from "@/api/queries";
import type { Session } from "@/api/session";
import { Button } from "@/components/button";
import { formatCount } from "@/lib/format";

const CONFIRMATION_WORD = "erase";

/**
 * Result of an account erasure. `signInDeleted` is false if the sign-in account at Firebase still
 * exists.
 */
export interface ErasureOutcome extends ErasureResult {
  signInDeleted: boolean;
}

/** Deletes the account after the player has typed a confirmation word. */
export function EraseAccount({
  session,
  erase,
}: {
  session: Session;
  erase: (word: string) => Promise<void>;
}) {
  const { i18n } = useLingui();
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
        {i18n._("Delete account")}
      </h2>
      <p className="mt-2 text-pretty text-dim">
        {session.email === null
          ? i18n._("This deletes the account of this guest.")
          : i18n._("This deletes the account {email}.", { email: session.email })}{" "}
        {i18n._(
          "Everything that you played is deleted ({rounds}): scores, pictures, keys and times. This cannot be undone. Copies that researchers have already downloaded, under pseudonyms, are not deleted.",
          { rounds: formatCount(played, "round") },
        )}
      </p>
      <form onSubmit={submit} className="mt-5 flex flex-wrap items-end gap-3">
        <label htmlFor={field} className="grid gap-1.5">
          <span>
            <Trans
              id="Type <0>{word}</0> to confirm"
              values={{ word: CONFIRMATION_WORD }}
              components={[<b key="word" />]}
            />
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
          {erasing.isPending ? i18n._("Deleting…") : i18n._("Delete account")}
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
