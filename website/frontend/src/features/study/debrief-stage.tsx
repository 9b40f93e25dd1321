import { useLingui } from "@lingui/react";
import { Button } from "@/components/button";

import type { StageProps } from "./stage-props";
import { TextPages } from "./text-pages";

/** Text at the end of a study. */
export function DebriefStage({ stage, isBusy, onAnswer }: StageProps<"debrief">) {
  const { i18n } = useLingui();
  return (
    <TextPages title={i18n._("Thank you")} pages={stage.pages}>
      <Button className="mt-2" disabled={isBusy} onClick={() => onAnswer()}>
        {i18n._("Finish")}
      </Button>
    </TextPages>
  );
}
