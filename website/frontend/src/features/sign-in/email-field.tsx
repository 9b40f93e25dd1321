import { useLingui } from "@lingui/react";
import { useState, type SubmitEvent } from "react";

import { Button } from "@/components/button";

interface Props {
  /** Initial value. */
  email?: string;
  submit: (email: string) => void;
  submitLabel: string;
  /** Label of the button while the request runs; undefined otherwise. */
  busyLabel: string | undefined;
  error: string | undefined;
}

/** Form with an e-mail field. */
export function EmailField({
  email: initialEmail = "",
  submit,
  submitLabel,
  busyLabel,
  error,
}: Props) {
  const { i18n } = useLingui();
  const [email, setEmail] = useState(initialEmail);
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    submit(email);
  };
  return (
    <form onSubmit={send} className="grid gap-3" noValidate>
      <label htmlFor="email" className="font-bold">
        {i18n._("E-mail")}
      </label>
      <input
        id="email"
        name="email"
        type="email"
        autoComplete="email"
        required
        value={email}
        onChange={(event) => setEmail(event.target.value)}
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : "email-problem"}
        className="h-12 rounded-xl border-2 border-line bg-surface px-4 text-lg placeholder:text-dim"
        placeholder="you@example.org"
      />
      {error !== undefined && (
        <p id="email-problem" role="alert" className="font-semibold text-link">
          {error}
        </p>
      )}
      <Button
        type="submit"
        disabled={busyLabel !== undefined || email.trim() === ""}
        className="mt-2"
      >
        {busyLabel ?? submitLabel}
      </Button>
    </form>
  );
}
