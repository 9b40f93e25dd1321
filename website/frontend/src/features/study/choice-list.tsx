import { useLingui } from "@lingui/react";
import { useId } from "react";

import type { Choice } from "./survey";

interface Props {
  title: string;
  description?: string;
  isRequired: boolean;
  choices: readonly Choice[];
  value: unknown;
  /** Shows the choices side by side. */
  isRow?: boolean;
  onChange: (value: Choice["value"]) => void;
}

/** One of several choices. */
export function ChoiceList(props: Props) {
  const { title, description = "", isRequired, choices, value, isRow = false, onChange } = props;
  const name = useId();
  return (
    <fieldset>
      <legend className="font-bold">
        {title}
        {isRequired && <Required />}
      </legend>
      {description !== "" && <p className="text-sm text-dim">{description}</p>}
      <div className={isRow ? "mt-2 flex flex-wrap gap-x-4" : "mt-2 grid"}>
        {choices.map((choice) => (
          <label
            key={String(choice.value)}
            className="flex min-h-11 items-center gap-2.5 pr-2 hover:text-link"
          >
            <input
              type="radio"
              name={name}
              checked={value === choice.value}
              onChange={() => onChange(choice.value)}
              className="size-5 shrink-0 accent-[var(--action)]"
            />
            {choice.text}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Required() {
  const { i18n } = useLingui();
  return (
    <span className="text-dim" title={i18n._("required")}>
      {" *"}
      <span className="sr-only"> {i18n._("required")}</span>
    </span>
  );
}
