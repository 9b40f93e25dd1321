import { readWantedTag } from "@/lib/language";
import { useLingui } from "@lingui/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState, useSyncExternalStore } from "react";
import { Link } from "react-router";

import { ApiError } from "@/api/client";
import {
  ageRefusal,
  answerConsent,
  type ConsentPage,
  consentPageQuery,
  type ConsentScope,
  myConsentQuery,
} from "@/api/consent";
import type { Session } from "@/api/session";
import { Button, buttonClass } from "@/components/button";
import { Message } from "@/components/message";

import {
  BirthYear,
  CONSENT_BUTTON,
  ConsentLanguages,
  ConsentScopes,
  ConsentSections,
  YEAR_DIGITS,
} from "@/components/consent-fields";

interface Props {
  session: Session;
  /** Page to open after the answer. */
  next: string;
  onAnswered: () => void;
}

/** Asks the player what may be recorded, in the words of the owner. Nothing is ticked beforehand. */
export function ConsentForm(props: Props) {
  const { i18n } = useLingui();
  const [language, setLanguage] = useState(readWantedTag);
  const page = useQuery(consentPageQuery(language));
  if (page.isPending)
    return (
      <p role="status" className="py-20 text-center text-lg text-dim">
        {i18n._("Loading…")}
      </p>
    );
  if (page.isLoadingError)
    return (
      <Message isError isPage title={i18n._("Cannot load this page")}>
        {page.error.message}
      </Message>
    );
  return (
    <div
      lang={page.data.language}
      className="mx-auto max-w-3xl animate-rise pt-3 leading-snug sm:pt-8"
    >
      <ConsentLanguages
        languages={page.data.languages}
        language={page.data.language}
        onChange={setLanguage}
      />
      <h1 className="text-3xl sign sm:text-5xl">{page.data.title}</h1>
      {page.data.notice !== "" && (
        <p
          role="note"
          className="mt-2 rounded-lg border border-line bg-raised px-3 py-1.5 text-xs text-pretty sm:mt-4 sm:text-base"
        >
          {page.data.notice}
        </p>
      )}
      <ConsentSections sections={page.data.sections} />
      <Answer key={page.data.sha256} {...props} page={page.data} />
    </div>
  );
}

function Answer({ page, session, next, onAnswered }: Props & { page: ConsentPage }) {
  const client = useQueryClient();
  const [shownAt] = useState(() => new Date().toISOString());
  const [scopes, setScopes] = useState<readonly ConsentScope[]>([]);
  const [year, setYear] = useState("");
  const isRefused = useSyncExternalStore(ageRefusal.subscribe, ageRefusal.get) !== null;
  const answer = useMutation({
    mutationFn: (allowed: readonly ConsentScope[]) =>
      answerConsent({
        document: page.sha256,
        scopes: [...allowed],
        birth_year: allowed.length === 0 ? null : Number(year),
        time_shown: shownAt,
      }),
    onSuccess: (now) => {
      client.setQueryData(myConsentQuery(session.userId).queryKey, now);
      onAnswered();
    },
    onError: (error) => {
      if (!(error instanceof ApiError) || error.code !== "TooYoung") return;
      ageRefusal.set("refused");
      void client.invalidateQueries({ queryKey: ["consent"] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    answer.mutate(scopes);
  };
  const decline = (
    <Button
      look="plain"
      className={CONSENT_BUTTON}
      disabled={answer.isPending}
      onClick={() => answer.mutate([])}
    >
      {page.has_unrecorded_play ? page.decline : page.refuse}
    </Button>
  );
  if (isRefused)
    return (
      <div role="alert" className="mt-6 text-pretty">
        <p className="text-lg font-bold">{page.too_young}</p>
        <p className="mt-1 text-dim">
          {page.has_unrecorded_play ? page.unrecorded : page.unavailable}
        </p>
        <div className="mt-4">
          {page.has_unrecorded_play ? (
            decline
          ) : (
            <Link className={buttonClass("plain")} to={next}>
              {page.refuse}
            </Link>
          )}
        </div>
      </div>
    );
  return (
    <form onSubmit={submit} className="mt-3 grid gap-2 sm:mt-6 sm:gap-4">
      <ConsentScopes scopes={page.scopes} chosen={scopes} onChange={setScopes} />
      <BirthYear label={page.age} help={page.age_help} year={year} onChange={setYear} />
      <div className="flex flex-wrap gap-2">
        <Button
          type="submit"
          look="plain"
          className={CONSENT_BUTTON}
          disabled={answer.isPending || scopes.length === 0 || year.length < YEAR_DIGITS}
        >
          {page.agree}
        </Button>
        {decline}
      </div>
      {answer.isError && (
        <p role="alert" className="font-semibold text-link">
          {answer.error.message}
        </p>
      )}
    </form>
  );
}
