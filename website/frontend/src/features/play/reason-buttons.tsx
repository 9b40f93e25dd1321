import { useLingui } from "@lingui/react";
import { useEffect, useId } from "react";

import type { Reason } from "@/wire/messages";

import type { Keys } from "./keys";

const REASONS: readonly (readonly [Reason, string])[] = [
  ["mistake", /*i18n*/ "Mistake"],
  ["danger", /*i18n*/ "Danger"],
  ["demonstration", /*i18n*/ "To show"],
  ["fun", /*i18n*/ "For fun"],
];
/** Keys of the answers; the first row that the game does not use. */
const KEY_ROWS: readonly (readonly string[])[] = [
  ["1", "2", "3", "4"],
  ["6", "7", "8", "9"],
];

interface Props {
  keys: Keys;
  /** Class that hides the buttons; undefined: they are shown. */
  hidden: "hidden" | "invisible" | undefined;
  onChoose: (reason: Reason) => void;
}

/** Asks why the player took over, by one press that the game does not notice. */
export function ReasonButtons({ keys, hidden, onChoose }: Props) {
  const { i18n } = useLingui();
  const id = useId();
  const used = new Set(Object.values(keys).flat());
  const digits = KEY_ROWS.find((row) => row.every((digit) => !used.has(`Digit${digit}`)));
  useEffect(() => {
    if (hidden !== undefined || digits === undefined) return;
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || isTyping(event)) return;
      const reason = REASONS[digits.findIndex((digit) => event.code === `Digit${digit}`)]?.[0];
      if (reason !== undefined) onChoose(reason);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, [hidden, digits, onChoose]);
  return (
    <div
      role="group"
      aria-labelledby={id}
      data-testid="reasons"
      className={hidden === "hidden" ? hidden : `flex flex-wrap items-center gap-1 ${hidden ?? ""}`}
    >
      <span id={id} className="mr-1 text-sm text-dim max-sm:w-full">
        {i18n._("Why did you take over?")}
      </span>
      {REASONS.map(([reason, name], index) => (
        <button
          key={reason}
          type="button"
          className="min-h-9 rounded-full border-2 border-line px-2.5 text-sm font-bold text-dim hover:border-dim hover:text-ink"
          onClick={() => onChoose(reason)}
        >
          {digits !== undefined && (
            <kbd className="mr-1 font-normal max-sm:hidden">{digits[index]}</kbd>
          )}
          {i18n._(name)}
        </button>
      ))}
    </div>
  );
}

function isTyping({ target }: KeyboardEvent): boolean {
  return target instanceof Element && target.closest("input, textarea, select") !== null;
}
