import { useMutation } from "@tanstack/react-query";

import { api } from "@/api/client";
import { startSession } from "@/api/session";

import { EmailField } from "./email-field";
import { SignInCard } from "./sign-in-card";

/** Signing in by an e-mail address alone. */
export function SignInForm() {
  const signIn = useMutation({ mutationFn: api.signIn, onSuccess: startSession });
  return (
    <SignInCard intro="Your e-mail keeps your scores together. No password, no mail from us.">
      <EmailField
        submit={signIn.mutate}
        submitLabel="Sign in"
        busyLabel={signIn.isPending ? "Signing in…" : undefined}
        error={signIn.error?.message}
      />
    </SignInCard>
  );
}
