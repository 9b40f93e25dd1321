import { useLingui } from "@lingui/react";
import { type ReactNode, useId, useRef, useState } from "react";

import { Button } from "./button";

interface Props {
  label: string;
  value: string;
  testId: string;
  /** Sentence after the field. */
  children?: ReactNode;
}

/** A text to copy, such as a link. */
export function CopyField({ label, value, testId, children }: Props) {
  const { i18n } = useLingui();
  const field = useId();
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState<"no" | "yes" | "by-hand">("no");
  const copy = async () => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      setCopied("yes");
    } catch {
      setCopied("by-hand");
    }
  };
  return (
    <div className="mt-4">
      <label htmlFor={field} className="font-bold">
        {label}
      </label>
      <div className="mt-1.5 flex gap-2">
        <input
          ref={input}
          id={field}
          readOnly
          value={value}
          data-testid={testId}
          onFocus={(event) => event.target.select()}
          className="min-h-11 min-w-0 flex-1 rounded-xl border border-line bg-bg px-4"
        />
        <Button look="plain" onClick={() => void copy()}>
          {i18n._("Copy")}
        </Button>
      </div>
      <p role="status" className="mt-1 text-sm text-dim">
        {copied === "yes" && `${i18n._("Copied.")} `}
        {copied === "by-hand" && `${i18n._("Press Ctrl+C to copy.")} `}
        {children}
      </p>
    </div>
  );
}
