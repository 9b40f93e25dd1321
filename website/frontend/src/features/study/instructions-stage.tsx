import { useLingui } from "@lingui/react";
import { type SubmitEvent, useState } from "react";

import { Button } from "@/components/button";

import { ChoiceList } from "./choice-list";
import type { StageProps } from "./stage-props";
import { TextPages } from "./text-pages";

/** Instructions, and questions about them. */
export function InstructionsStage({ stage, isBusy, onAnswer }: StageProps<"instructions">) {
  const { i18n } = useLingui();
  const [answers, setAnswers] = useState<Readonly<Record<string, string>>>({});
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onAnswer(answers);
  };
  const isComplete = stage.checks.every(({ name }) => answers[name] !== undefined);
  return (
    <TextPages title={i18n._("Instructions")} pages={stage.pages}>
      <form onSubmit={submit} className="grid gap-6">
        {stage.checks.map(({ name, title, choices }) => (
          <ChoiceList
            key={name}
            title={title}
            isRequired
            choices={choices.map((value) => ({ value, text: value }))}
            value={answers[name]}
            onChange={(value) => setAnswers({ ...answers, [name]: String(value) })}
          />
        ))}
        <div>
          <Button type="submit" disabled={isBusy || !isComplete}>
            {i18n._("Continue")}
          </Button>
        </div>
      </form>
    </TextPages>
  );
}
