import { useState, type SubmitEvent } from "react";

import { Button } from "@/components/button";

interface Props {
  /** What is in it at first. */
  email?: string;
  submit: (email: string) => void;
  action: string;
  /** Meanwhile, on the button; undefined: nothing is under way. */
  busy: string | undefined;
  problem: string | undefined;
}

/** A form that asks for an e-mail address. */
export function EmailField({ email: first = "", submit, action, busy, problem }: Props) {
  const [email, setEmail] = useState(first);
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
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : "email-problem"}
        className="h-12 rounded-xl border-2 border-line bg-surface px-4 text-lg placeholder:text-dim"
        placeholder="you@example.org"
      />
      {problem !== undefined && (
        <p id="email-problem" role="alert" className="font-semibold text-link">
          {problem}
        </p>
      )}
      <Button type="submit" disabled={busy !== undefined || email.trim() === ""} className="mt-2">
        {busy ?? action}
      </Button>
    </form>
  );
}
