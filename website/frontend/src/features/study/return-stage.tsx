import { useLingui } from "@lingui/react";
import { Button } from "@/components/button";

import type { StageProps } from "./stage-props";

interface Props extends StageProps<"return"> {
  onReload: () => void;
}

/** Asks the participant to come back later, or lets them continue. */
export function ReturnStage({ stage, isBusy, onAnswer, onReload }: Props) {
  const { i18n } = useLingui();
  const formatTime = (iso: string) => i18n.date(iso, { dateStyle: "full", timeStyle: "short" });
  return (
    <>
      <h1 className="text-3xl sign sm:text-5xl">
        {stage.is_due ? i18n._("Welcome back") : i18n._("Come back later")}
      </h1>
      {stage.text !== "" && <p className="mt-4 text-lg text-pretty">{stage.text}</p>}
      <dl className="mt-4 grid gap-1">
        <div>
          <dt className="inline font-bold">{i18n._("From:")} </dt>
          <dd className="inline">{formatTime(stage.not_before)}</dd>
        </div>
        <div>
          <dt className="inline font-bold">{i18n._("Until:")} </dt>
          <dd className="inline">{formatTime(stage.not_after)}</dd>
        </div>
      </dl>
      <Button
        className="mt-6"
        disabled={isBusy}
        onClick={() => (stage.is_due ? onAnswer() : onReload())}
      >
        {stage.is_due ? i18n._("Continue") : i18n._("Check again")}
      </Button>
    </>
  );
}
