import { useLingui } from "@lingui/react";
import { useMutation } from "@tanstack/react-query";

import { api } from "@/api/client";
import { startSession } from "@/api/session";

import { EmailField } from "./email-field";
import { SignInCard } from "./sign-in-card";

/** Sign-in by e-mail address only. */
export function SignInForm() {
  const { i18n } = useLingui();
  const signIn = useMutation({ mutationFn: api.signIn, onSuccess: startSession });
  return (
    <SignInCard
      intro={i18n._("Sign in to keep your scores. No password needed, and we send no e-mail.")}
    >
      <EmailField
        submit={signIn.mutate}
        submitLabel={i18n._("Sign in")}
        busyLabel={signIn.isPending ? i18n._("Signing in…") : undefined}
        error={signIn.error?.message}
      />
    </SignInCard>
  );
}
