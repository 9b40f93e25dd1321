import { useState, type SubmitEvent } from "react";

import { Button } from "@/components/button";

interface Props {
  /** What is in it at first. */
  email?: string;
  submit: (email: string) => void;
  submitLabel: string;
  /** Meanwhile, on the button; undefined: nothing is under way. */
  busyLabel: string | undefined;
  error: string | undefined;
}

/** A form that asks for an e-mail address. */
export function EmailField({
  email: initialEmail = "",
  submit,
  submitLabel,
  busyLabel,
  error,
}: Props) {
  const [email, setEmail] = useState(initialEmail);
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    submit(email);
  };
  return (
    <form onSubmit={send} className="grid gap-3" noValidate>
      <label htmlFor="email" className="font-bold">
        E-mail
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
