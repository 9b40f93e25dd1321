import { useLingui } from "@lingui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import {
  consentPageQuery,
  type ConsentScope,
  myConsentQuery,
  withdrawConsent,
} from "@/api/consent";
import type { Session } from "@/api/session";
import { Button, buttonClass } from "@/components/button";
import { paths } from "@/config/paths";

const ALL: ConsentScope[] = ["research", "publication", "boards"];

/** What the player allows, and its withdrawal: one click for each scope. */
export function ConsentCard({ session }: { session: Session }) {
  const { i18n } = useLingui();
  const client = useQueryClient();
  const query = myConsentQuery(session.userId);
  const mine = useQuery(query);
  const page = useQuery(consentPageQuery(i18n.locale));
  const [isConfirming, setConfirming] = useState(false);
  const withdraw = useMutation({
    mutationFn: withdrawConsent,
    onSuccess: async (now) => {
      setConfirming(false);
      client.setQueryData(query.queryKey, now);
      await Promise.all(
        ["episodes", "boards"].map((key) => client.invalidateQueries({ queryKey: [key] })),
      );
    },
  });
  const error = withdraw.error ?? mine.error ?? page.error;
  const allowed = page.data?.scopes.filter(({ id }) => mine.data?.withdrawable.includes(id)) ?? [];
  return (
    <section aria-labelledby="consent" className="mt-14 max-w-2xl border-t border-line/60 pt-8">
      <h2 id="consent" className="text-4xl sign">
        {i18n._("Recording")}
      </h2>
      <p className="mt-2 text-pretty text-dim">
        {mine.data && i18n._(STATES[mine.data.decision ?? "none"])}
      </p>
      {allowed.length > 0 && (
        <ul className="mt-4 grid gap-3" lang={page.data?.language}>
          {allowed.map(({ id, label, text }) => (
            <li key={id} className="flex flex-wrap items-center gap-3 rounded-xl bg-surface p-4">
              <p className="min-w-48 flex-1 text-pretty">
                <b>{label}</b>
                <span className="block text-sm text-dim">{text}</span>
              </p>
              <Button
                look="plain"
                lang={i18n.locale}
                aria-label={i18n._("Withdraw {label}", { label })}
                disabled={withdraw.isPending}
                onClick={() => withdraw.mutate([id])}
              >
                {i18n._("Withdraw")}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <p className="mt-4 text-sm text-pretty text-dim">
        {i18n._(
          "A withdrawal holds at once for everything recorded so far. Without anything left that you allow, your recordings are deleted, and your games are not recorded any more.",
        )}
      </p>
      <div className="mt-4 flex flex-wrap gap-3">
        <Link className={buttonClass("plain")} to={paths.consent(paths.account)}>
          {i18n._("Change for new games")}
        </Link>
        {isConfirming ? (
          <Button disabled={withdraw.isPending} onClick={() => withdraw.mutate(ALL)}>
            {withdraw.isPending ? i18n._("Deleting…") : i18n._("Yes, delete my recordings")}
          </Button>
        ) : (
          <Button look="plain" onClick={() => setConfirming(true)}>
            {i18n._("Withdraw everything and delete recordings")}
          </Button>
        )}
      </div>
      {error !== null && (
        <p role="alert" className="mt-4 font-semibold text-link">
          {error.message}
        </p>
      )}
      <p role="status" className="sr-only">
        {withdraw.isSuccess && i18n._("Withdrawn.")}
      </p>
    </section>
  );
}

const STATES = {
  none: /*i18n*/ "You have not been asked yet. You are asked before your first game.",
  given: /*i18n*/ "Your games are recorded for what you allow:",
  declined: /*i18n*/ "Your games are not recorded.",
  underage: /*i18n*/ "Your games cannot be recorded.",
} as const;
