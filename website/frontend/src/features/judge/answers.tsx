import { useLingui } from "@lingui/react";
import { type ReactNode, useState } from "react";

import type { Answer, JudgementState } from "@/api/judgements";
import { Button } from "@/components/button";
import { KeyCap } from "@/components/key-cap";
import { useMediaQuery } from "@/lib/media";

import { type Action, answerAction } from "./keys";

interface Props {
  set: JudgementState;
  isDisabled: boolean;
  act: (action: Action) => void;
}

/** The buttons by which a judge answers. */
export function Answers({ set, isDisabled, act }: Props) {
  const { i18n } = useLingui();
  const [first, second] = useSideNames();
  const choose = (answer: Answer) => () => act(answerAction(answer));
  return (
    <div className="flex flex-wrap items-center justify-center gap-2">
      {set.kind === "pair" && (
        <>
          <AnswerButton
            code="ArrowLeft"
            look="action"
            isDisabled={isDisabled}
            onClick={choose("left")}
          >
            {first}
          </AnswerButton>
          <AnswerButton
            code="ArrowUp"
            look="plain"
            isDisabled={isDisabled}
            onClick={choose("equal")}
          >
            {i18n._("Equal")}
          </AnswerButton>
          <AnswerButton
            code="ArrowRight"
            look="action"
            isDisabled={isDisabled}
            onClick={choose("right")}
          >
            {second}
          </AnswerButton>
        </>
      )}
      {set.kind === "rating" && set.scale === "1-5" && (
        <div
          role="group"
          aria-label={i18n._("Rating: 1 is worst, 5 is best")}
          className="flex flex-wrap justify-center gap-2"
        >
          {[1, 2, 3, 4, 5].map((rating) => (
            <Button
              key={rating}
              disabled={isDisabled}
              className="min-w-14"
              onClick={() => act(answerAction("rating", rating))}
            >
              {i18n.number(rating)}
            </Button>
          ))}
        </div>
      )}
      {set.kind === "rating" && set.scale === "0-100" && (
        <Slider key={set.tasks[0]?.number} {...{ isDisabled, act }} />
      )}
      <AnswerButton
        code="ArrowDown"
        look="plain"
        isDisabled={isDisabled}
        onClick={choose("cannot_tell")}
      >
        {i18n._("Can’t tell")}
      </AnswerButton>
      <AnswerButton code="KeyS" look="plain" isDisabled={isDisabled} onClick={choose("skip")}>
        {i18n._("Skip")}
      </AnswerButton>
    </div>
  );
}

/** Returns what the two clips are called: by where they are on the screen. */
export function useSideNames(): [first: string, second: string] {
  const { i18n } = useLingui();
  const isStacked = useMediaQuery("(width < 40rem)");
  return isStacked ? [i18n._("Above"), i18n._("Below")] : [i18n._("Left"), i18n._("Right")];
}

/** A slider from 0 to 100, and a button that sends its value. */
function Slider({ isDisabled, act }: Pick<Props, "isDisabled" | "act">) {
  const { i18n } = useLingui();
  const [rating, setRating] = useState<number | null>(null);
  return (
    <div className="flex w-full max-w-xl flex-wrap items-center justify-center gap-3">
      <label className="flex min-w-48 flex-1 items-center gap-3">
        <span className="sr-only">{i18n._("Rating: 0 is worst, 100 is best")}</span>
        <span aria-hidden="true">0</span>
        <input
          type="range"
          min={0}
          max={100}
          step={1}
          value={rating ?? 50}
          disabled={isDisabled}
          onChange={(event) => setRating(event.target.valueAsNumber)}
          className="h-11 min-w-0 flex-1 accent-[var(--action)]"
        />
        <span aria-hidden="true">100</span>
      </label>
      <Button
        disabled={isDisabled || rating === null}
        onClick={() => act(answerAction("rating", rating))}
      >
        {rating === null
          ? i18n._("Move the slider")
          : i18n._("Rate with {rating}", { rating: i18n.number(rating) })}
      </Button>
    </div>
  );
}

interface AnswerButtonProps {
  code: string;
  look: "action" | "plain" | "quiet";
  isDisabled: boolean;
  onClick: () => void;
  children: ReactNode;
}

/** A button with the key that does the same. */
export function AnswerButton({ code, look, isDisabled, onClick, children }: AnswerButtonProps) {
  return (
    <Button look={look} disabled={isDisabled} onClick={onClick} className="!px-3 sm:!px-5">
      {children}
      <span aria-hidden="true" className="hidden sm:inline">
        <KeyCap code={code} />
      </span>
    </Button>
  );
}
