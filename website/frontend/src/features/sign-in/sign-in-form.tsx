import { useMutation } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { api } from "@/api/client";
import { session } from "@/api/session";
import { Button } from "@/components/button";
import { Arcs } from "@/components/wordmark";

export function SignInForm() {
  const [email, setEmail] = useState("");
  const signIn = useMutation({
    mutationFn: api.signIn,
    onSuccess: ({ token, email, user_id: userId, expires_at: expiresAt }) =>
      session.set({ token, email, userId, expiresAt }),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    signIn.mutate(email);
  };
  return (
    <div className="mx-auto grid max-w-md animate-rise gap-8 pt-14 sm:pt-24">
      <Arcs className="size-20" />
      <div>
        <h1 className="text-6xl sign">Take a seat</h1>
        <p className="mt-4 text-lg text-pretty text-dim">
          Your e-mail keeps your scores together. No password, no mail from us.
        </p>
      </div>
      <form onSubmit={submit} className="grid gap-3" noValidate>
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
          aria-invalid={signIn.isError}
          aria-describedby={signIn.isError ? "email-problem" : undefined}
          className="h-12 rounded-xl border-2 border-line bg-surface px-4 text-lg placeholder:text-dim"
          placeholder="you@example.org"
        />
        {signIn.isError && (
          <p id="email-problem" role="alert" className="font-semibold text-link">
            {signIn.error.message}
          </p>
        )}
        <Button type="submit" disabled={signIn.isPending || email.trim() === ""} className="mt-2">
          {signIn.isPending ? "Signing in…" : "Sign in"}
        </Button>
      </form>
    </div>
  );
}
