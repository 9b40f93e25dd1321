import { useLingui } from "@lingui/react";
import { type SubmitEvent, useState } from "react";

import type { StudyConsent } from "@/api/studies";
import { Button } from "@/components/button";

import {
  BirthYear,
  CONSENT_BUTTON,
  ConsentLanguages,
  ConsentScopes,
  ConsentSections,
  YEAR_DIGITS,
} from "@/components/consent-fields";
import type { StageProps } from "./stage-props";

type Scope = StudyConsent["scopes"][number];
const SCOPE_TEXTS: Record<Scope, { label: string; text: string }> = {
  research: {
    label: /*i18n*/ "Use for this research",
    text: /*i18n*/ "Your games and answers may be recorded and analysed for research. Required to take part.",
  },
  publication: {
    label: /*i18n*/ "Publish without names",
    text: /*i18n*/ "They may be in a public data set, under a random id. You can take part without this.",
  },
};

interface Props extends StageProps<"consent"> {
  onLanguage: (language: string) => void;
}

/** The study's consent document. Nothing is ticked beforehand. */
export function ConsentStage({ stage, isBusy, onAnswer, onLanguage }: Props) {
  const { i18n } = useLingui();
  const [scopes, setScopes] = useState<readonly Scope[]>([]);
  const [year, setYear] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onAnswer({ document: stage.sha256, scopes: [...scopes], birth_year: Number(year) });
  };
  return (
    <form onSubmit={submit} lang={stage.language}>
      <ConsentLanguages
        languages={stage.languages}
        language={stage.language}
        onChange={onLanguage}
      />
      <h1 className="text-3xl sign sm:text-5xl">{stage.title}</h1>
      <ConsentSections sections={stage.sections} />
      <div className="mt-3 grid gap-2 sm:mt-6 sm:gap-4">
        <ConsentScopes
          scopes={stage.scopes.map((id) => ({
            id,
            label: i18n._(SCOPE_TEXTS[id].label),
            text: i18n._(SCOPE_TEXTS[id].text),
          }))}
          language={i18n.locale}
          chosen={scopes}
          onChange={setScopes}
        />
        <BirthYear label={stage.age} year={year} onChange={setYear} />
        <div className="flex flex-wrap gap-2">
          <Button
            type="submit"
            look="plain"
            className={CONSENT_BUTTON}
            disabled={isBusy || !scopes.includes("research") || year.length < YEAR_DIGITS}
          >
            {stage.agree}
          </Button>
          <Button
            look="plain"
            className={CONSENT_BUTTON}
            disabled={isBusy}
            onClick={() => onAnswer({ document: stage.sha256, scopes: [], birth_year: null })}
          >
            {stage.decline}
          </Button>
        </div>
      </div>
    </form>
  );
}
