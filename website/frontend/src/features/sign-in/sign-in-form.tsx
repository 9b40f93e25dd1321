import { useMutation } from "@tanstack/react-query";

import { api } from "@/api/client";
import { startSession } from "@/api/session";

import { EmailField } from "./email-field";
import { Seat } from "./seat";

/** Signing in by an e-mail address alone. */
export function SignInForm() {
  const signIn = useMutation({ mutationFn: api.signIn, onSuccess: startSession });
  return (
    <Seat words="Your e-mail keeps your scores together. No password, no mail from us.">
      <EmailField
        submit={signIn.mutate}
        action="Sign in"
        busy={signIn.isPending ? "Signing in…" : undefined}
        problem={signIn.error?.message}
      />
    </Seat>
  );
}
