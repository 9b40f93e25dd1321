import { translateServerText } from "@/lib/server-texts";
import { useLingui } from "@lingui/react";
import { useEffect } from "react";

import type { StudyCompletion, StudyPage } from "@/api/studies";
import { buttonClass } from "@/components/button";
import { CopyField } from "@/components/copy-field";

const REDIRECT_MS = 5000;
const TEXTS: Record<StudyCompletion["outcome"], { title: string; text: string }> = {
  complete: {
    title: /*i18n*/ "Done",
    text: /*i18n*/ "Thank you for taking part. Everything is saved.",
  },
  "no-consent": {
    title: /*i18n*/ "You do not take part",
    text: /*i18n*/ "You have declined, and nothing was recorded. Thank you for your interest.",
  },
  "screened-out": {
    title: /*i18n*/ "You cannot take part",
    text: /*i18n*/ "This study is for other participants. Thank you for your interest.",
  },
  "failed-checks": {
    title: /*i18n*/ "The study ends here",
    text: /*i18n*/ "Some questions that check attention were answered wrongly.",
  },
  "incompatible-device": {
    title: /*i18n*/ "This device does not fit",
    text: /*i18n*/ "The study cannot run on this device or connection.",
  },
  full: {
    title: /*i18n*/ "The study is full",
    text: /*i18n*/ "It has all the participants that it needs. Thank you for your interest.",
  },
};

interface Props {
  page: StudyPage;
  completion: StudyCompletion;
  /** Whether the participation has ended just now, so that the recruiter's page is opened. */
  isNew: boolean;
}

/** End of a participation: the outcome, the code, and the way back to the recruiter. */
export function Completion({ page, completion, isNew }: Props) {
  const { i18n } = useLingui();
  const { outcome, code, url } = completion;
  useEffect(() => {
    if (!isNew || url === null) return;
    const timer = setTimeout(() => location.assign(url), REDIRECT_MS);
    return () => clearTimeout(timer);
  }, [isNew, url]);
  return (
    <div data-testid="completion" data-outcome={outcome}>
      <h1 className="text-3xl sign sm:text-5xl">{i18n._(TEXTS[outcome].title)}</h1>
      <p className="mt-4 text-lg text-pretty">{i18n._(TEXTS[outcome].text)}</p>
      {page.message !== "" && (
        <p className="mt-2 text-pretty">{translateServerText(page.message)}</p>
      )}
      {code !== null && (
        <CopyField label={i18n._("Completion code")} value={code} testId="completion-code" />
      )}
      {url !== null && (
        <p className="mt-6">
          <a className={buttonClass("action")} href={url}>
            {i18n._("Return to the recruiting site")}
          </a>
        </p>
      )}
    </div>
  );
}
