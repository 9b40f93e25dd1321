import { useLingui } from "@lingui/react";
import { type SubmitEvent, useEffect, useRef, useState } from "react";

import { Button } from "@/components/button";

import { QuestionField } from "./question-field";
import type { StageProps } from "./stage-props";
import { type Answers, isMissing, type Survey, toData } from "./survey";

/** A questionnaire, page by page. */
export function QuestionnaireStage({ stage, isBusy, onAnswer }: StageProps<"questionnaire">) {
  const { i18n } = useLingui();
  // The server has validated it by the schema of which these types are a copy.
  const survey = stage.survey as unknown as Survey;
  const [answers, setAnswers] = useState<Answers>({});
  const [index, setIndex] = useState(0);
  const [isChecked, setChecked] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [index]);
  const page = survey.pages[index];
  if (page === undefined) return null;
  const missing = page.elements.filter((one) => isMissing(one, answers[one.name]));
  const isLast = index === survey.pages.length - 1;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setChecked(missing.length > 0);
    if (missing.length > 0) return;
    if (isLast) onAnswer(toData(answers));
    else setIndex(index + 1);
  };
  return (
    <form onSubmit={submit} noValidate>
      <h1 ref={heading} tabIndex={-1} className="text-3xl sign sm:text-5xl">
        {page.title || survey.title || i18n._("Questions")}
      </h1>
      {page.description !== "" && <p className="mt-3 text-pretty">{page.description}</p>}
      <div className="mt-6 grid gap-8">
        {page.elements.map((question) => (
          <QuestionField
            key={question.name}
            question={question}
            answer={answers[question.name]}
            onChange={(answer) => setAnswers({ ...answers, [question.name]: answer })}
          />
        ))}
      </div>
      {isChecked && missing.length > 0 && (
        <p role="alert" className="mt-6 font-semibold text-link">
          {i18n._("Answer also: {questions}", {
            questions: missing.map(({ title }) => title).join(" · "),
          })}
        </p>
      )}
      <div className="mt-8 flex gap-3">
        {index > 0 && (
          <Button look="plain" onClick={() => setIndex(index - 1)}>
            {i18n._("Back")}
          </Button>
        )}
        <Button type="submit" disabled={isBusy}>
          {isLast ? i18n._("Continue") : i18n._("Next")}
        </Button>
      </div>
    </form>
  );
}
