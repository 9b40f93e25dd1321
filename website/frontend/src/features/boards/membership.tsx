import { Trans, useLingui } from "@lingui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";
import { Link } from "react-router";

import { type BoardMembership, membershipQuery, optIn, optOut } from "@/api/boards";
import { myConsentQuery } from "@/api/consent";
import type { Session } from "@/api/session";
import { Button } from "@/components/button";
import { paths } from "@/config/paths";

/** Opts in to leaderboards, changes the name there, or opts out. */
export function Membership({ session }: { session: Session }) {
  const { i18n } = useLingui();
  const query = membershipQuery(session.userId);
  const membership = useQuery(query);
  const consent = useQuery(myConsentQuery(session.userId));
  const client = useQueryClient();
  const update = useMutation({
    mutationFn: (change: () => Promise<BoardMembership>) => change(),
    onSuccess: async (now) => {
      await client.invalidateQueries({ queryKey: ["boards"] });
      client.setQueryData(query.queryKey, now);
    },
  });
  const current = membership.data;
  const isListed = current?.is_listed ?? false;
  const error = update.error ?? membership.error;
  return (
    <section aria-labelledby="boards" className="mt-14 max-w-2xl border-t border-line/60 pt-8">
      <h2 id="boards" className="text-4xl sign">
        {i18n._("Leaderboards")}
      </h2>
      <p className="mt-2 text-pretty text-dim">
        {isListed ? (
          <Trans
            id="You are on leaderboards as <0>{name}</0>. Anyone can watch the rounds that rank."
            values={{ name: current?.name }}
            components={[<strong key="name" className="text-ink" />]}
          />
        ) : (
          i18n._(
            "You are on no leaderboard. If you opt in, your best certified rounds appear with the name that you choose, and anyone can watch them. You can opt out at any time, which removes all of it.",
          )
        )}
      </p>
      {consent.data !== undefined && !consent.data.scopes.includes("boards") && (
        <p className="mt-2 font-semibold text-pretty">
          <Trans
            id="You have not allowed replays and leaderboards, so no round of yours ranks. <0>Change your answer</0>"
            components={[
              <Link
                key="link"
                to={paths.consent(`${paths.account}#boards`)}
                className="text-link underline"
              />,
            ]}
          />
        </p>
      )}
      <NameForm
        current={current}
        isDisabled={update.isPending || membership.isPending}
        onChange={(change) => update.mutateAsync(change)}
      />
      {error !== null && (
        <p role="alert" className="mt-4 font-semibold text-link">
          {error.message}
        </p>
      )}
      <p role="status" className="sr-only">
        {update.isSuccess && (isListed ? i18n._("Saved.") : i18n._("You are on no leaderboard."))}
      </p>
    </section>
  );
}

interface NameFormProps {
  /** undefined before it is loaded. */
  current: BoardMembership | undefined;
  isDisabled: boolean;
  onChange: (change: () => Promise<BoardMembership>) => Promise<unknown>;
}

function NameForm({ current, isDisabled, onChange }: NameFormProps) {
  const { i18n } = useLingui();
  const field = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const isListed = current?.is_listed ?? false;
  const given = current?.name ?? "";
  const name = typed ?? (current?.is_chosen === true ? given : "");
  const change = (request: () => Promise<BoardMembership>) => {
    // The section shows the error of a change that failed.
    onChange(request).then(
      () => setTyped(null),
      () => undefined,
    );
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    change(() => optIn(name.trim() === "" ? null : name));
  };
  return (
    <>
      <form onSubmit={submit} className="mt-5 flex flex-wrap items-end gap-3">
        <label htmlFor={field} className="grid gap-1.5">
          <span>{i18n._("Name on leaderboards")}</span>
          <input
            id={field}
            value={name}
            onChange={(event) => setTyped(event.target.value)}
            placeholder={current?.is_chosen === false && given !== "" ? given : i18n._("Player …")}
            maxLength={20}
            autoComplete="nickname"
            spellCheck={false}
            aria-describedby={`${field}-help`}
            className="min-h-11 w-56 rounded-xl border border-line bg-surface px-4"
          />
        </label>
        <Button type="submit" look={isListed ? "plain" : "action"} disabled={isDisabled}>
          {isListed ? i18n._("Save name") : i18n._("Opt in")}
        </Button>
        {isListed && (
          <Button look="plain" disabled={isDisabled} onClick={() => change(() => optOut())}>
            {i18n._("Opt out")}
          </Button>
        )}
      </form>
      <p id={`${field}-help`} className="mt-2 text-sm text-dim">
        {i18n._(
          "3 to 20 letters, digits, spaces, hyphens, underscores or apostrophes. Empty: a neutral name.",
        )}
      </p>
    </>
  );
}
