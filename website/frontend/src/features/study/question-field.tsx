import { useLingui } from "@lingui/react";
import { useId } from "react";

import type { Json } from "@/api/studies";

import { ChoiceList, Required } from "./choice-list";
import type { Answer, Choice, Question } from "./survey";

type Kind = Question["type"];
interface Props<K extends Kind = Kind> {
  question: Extract<Question, { type: K }>;
  answer: Answer;
  onChange: (answer: Answer) => void;
}

const fieldClass = "mt-2 min-h-11 w-full rounded-xl border border-line bg-surface px-4 py-2";

/** A question of a questionnaire. */
export function QuestionField({ question, answer, onChange }: Props) {
  const { title, description, isRequired } = question;
  const shared = { title, description, isRequired, value: answer, onChange };
  switch (question.type) {
    case "radiogroup":
      return <ChoiceList {...shared} choices={question.choices} />;
    case "checkbox":
      return <CheckList question={question} answer={answer} onChange={onChange} />;
    case "rating":
      return <Rating question={question} answer={answer} onChange={onChange} />;
    case "slider":
      return <Slider question={question} answer={answer} onChange={onChange} />;
    case "matrix":
      return <Matrix question={question} answer={answer} onChange={onChange} />;
    case "comment":
    case "text":
      return <TextField question={question} answer={answer} onChange={onChange} />;
  }
}

/** `Array.isArray` does not tell a readonly list from an object. */
const isList = (answer: Answer): answer is readonly Json[] => Array.isArray(answer);

function CheckList({ question, answer, onChange }: Props<"checkbox">) {
  const chosen: readonly Json[] = isList(answer) ? answer : [];
  const toggle = (value: Choice["value"], isOn: boolean) =>
    onChange(isOn ? [...chosen, value] : chosen.filter((one) => one !== value));
  return (
    <fieldset>
      <Legend question={question} />
      <div className="mt-2 grid">
        {question.choices.map(({ value, text }) => (
          <label key={String(value)} className="flex min-h-11 items-center gap-2.5">
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={(event) => toggle(value, event.target.checked)}
              className="size-5 shrink-0 accent-[var(--action)]"
            />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Rating({ question, answer, onChange }: Props<"rating">) {
  const { rateMin, rateMax, minRateDescription, maxRateDescription } = question;
  const count = rateMax - rateMin + 1;
  const choices = Array.from({ length: count }, (_, index) => ({
    value: rateMin + index,
    text: String(rateMin + index),
  }));
  const { title, description, isRequired } = question;
  return (
    <div>
      <ChoiceList {...{ title, description, isRequired, choices, onChange }} value={answer} isRow />
      <Ends low={minRateDescription} high={maxRateDescription} />
    </div>
  );
}

/** A line with a thumb that appears when the participant has chosen: there is no default answer. */
function Slider({ question, answer, onChange }: Props<"slider">) {
  const { i18n } = useLingui();
  const id = useId();
  const { min, max, step, minRateDescription, maxRateDescription } = question;
  const isAnswered = typeof answer === "number";
  const middle = min + Math.round((max - min) / 2 / step) * step;
  return (
    <div>
      <label htmlFor={id} className="font-bold">
        {question.title}
        {question.isRequired && <Required />}
      </label>
      {question.description !== "" && <p className="text-sm text-dim">{question.description}</p>}
      <div className="flex items-center gap-4">
        <input
          id={id}
          type="range"
          min={min}
          max={max}
          step={step}
          value={isAnswered ? answer : middle}
          aria-valuetext={isAnswered ? i18n.number(answer) : i18n._("not answered")}
          onChange={(event) => onChange(event.target.valueAsNumber)}
          onPointerUp={(event) => onChange(event.currentTarget.valueAsNumber)}
          className={`min-h-11 min-w-0 flex-1 accent-[var(--action)] ${isAnswered ? "" : "opacity-40"}`}
        />
        <output htmlFor={id} className="w-12 text-right tabular-nums">
          {isAnswered ? i18n.number(answer) : "–"}
        </output>
      </div>
      <Ends low={minRateDescription} high={maxRateDescription} />
    </div>
  );
}

/** What the two ends of a scale mean. */
function Ends({ low, high }: { low: string; high: string }) {
  if (low === "" && high === "") return null;
  return (
    <p className="flex max-w-xl justify-between gap-4 text-sm text-dim">
      <span>{low}</span>
      <span className="text-right">{high}</span>
    </p>
  );
}

function TextField({ question, answer, onChange }: Props<"text" | "comment">) {
  const id = useId();
  const isNumber = question.type === "text" && question.inputType === "number";
  return (
    <div>
      <label htmlFor={id} className="font-bold">
        {question.title}
        {question.isRequired && <Required />}
      </label>
      {question.description !== "" && <p className="text-sm text-dim">{question.description}</p>}
      {question.type === "comment" ? (
        <textarea
          id={id}
          rows={4}
          maxLength={2000}
          value={typeof answer === "string" ? answer : ""}
          onChange={(event) => onChange(event.target.value)}
          className={fieldClass}
        />
      ) : (
        <input
          id={id}
          type={question.inputType}
          min={question.min ?? undefined}
          max={question.max ?? undefined}
          maxLength={2000}
          autoComplete="off"
          value={typeof answer === "string" || typeof answer === "number" ? answer : ""}
          onChange={({ target }) =>
            onChange(isNumber && target.value !== "" ? target.valueAsNumber : target.value)
          }
          className={fieldClass}
        />
      )}
    </div>
  );
}

/** Rows that are answered by the same columns. On a phone each row is a list of its own. */
function Matrix({ question, answer, onChange }: Props<"matrix">) {
  const rows = typeof answer === "object" && answer !== null && !isList(answer) ? answer : {};
  return (
    <fieldset>
      <Legend question={question} />
      <div className="mt-3 grid gap-4">
        {question.rows.map(({ value, text }) => (
          <ChoiceList
            key={String(value)}
            title={text}
            isRequired={false}
            isRow
            choices={question.columns}
            value={rows[String(value)]}
            onChange={(column) => onChange({ ...rows, [String(value)]: column })}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Legend({ question }: { question: Question }) {
  return (
    <>
      <legend className="font-bold">
        {question.title}
        {question.isRequired && <Required />}
      </legend>
      {question.description !== "" && <p className="text-sm text-dim">{question.description}</p>}
    </>
  );
}
