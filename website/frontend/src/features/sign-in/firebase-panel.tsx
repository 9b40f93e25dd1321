import { Trans, useLingui } from "@lingui/react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import type { FirebaseMethod } from "@/api/client";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import {
  finishGoogleSignIn,
  pendingEmail,
  openFirebase,
  startFirebaseSession,
} from "./firebase-account";
import { EmailField } from "./email-field";
import type { Firebase } from "./firebase";
import { redirectToGoogle } from "./google";
import { isEmailLink } from "./sign-in-redirect";
import { SignInCard } from "./sign-in-card";

interface Props {
  method: FirebaseMethod;
  next: string;
  onDone: (next: string) => void;
}

const runOnce = { staleTime: Infinity, gcTime: Infinity, retry: false } as const;

/** Firebase sign-in: loads the SDK, completes a pending sign-in, or offers the methods. */
export function FirebasePanel({ method, next, onDone }: Props) {
  const { i18n } = useLingui();
  const opening = useQuery({
    queryKey: ["firebase"],
    queryFn: () => openFirebase(method),
    ...runOnce,
  });
  const firebase = opening.data;
  const finishing = useQuery({
    queryKey: ["firebase", "google"],
    queryFn: () => (firebase === undefined ? null : finishGoogleSignIn(firebase)),
    enabled: firebase !== undefined,
    ...runOnce,
  });
  const { data: finished } = finishing;
  useEffect(() => {
    if (typeof finished === "string") onDone(finished);
  }, [finished, onDone]);
  if (opening.error !== null)
    return (
      <Message isError title={i18n._("Cannot load the sign-in")}>
        {opening.error.message}
      </Message>
    );
  if (firebase === undefined || finishing.isPending || typeof finished === "string")
    return <SignInCard intro={i18n._("Loading…")}>{null}</SignInCard>;
  if (isEmailLink(location.search))
    return <EmailLinkForm firebase={firebase} onDone={() => onDone(next)} />;
  return (
    <SignInMethods
      method={method}
      firebase={firebase}
      next={next}
      problem={finishing.error?.message}
      onDone={() => onDone(next)}
    />
  );
}

/**
 * Sign-in by an e-mailed link. The address is asked for again, so that a stolen link alone is not
 * enough.
 */
function EmailLinkForm({ firebase, onDone }: { firebase: Firebase; onDone: () => void }) {
  const { i18n } = useLingui();
  const enter = useMutation({
    mutationFn: async (email: string) => {
      await firebase.signInWithLink(email, location.href);
      await startFirebaseSession(firebase);
      pendingEmail.set(null);
    },
    onSuccess: onDone,
  });
  return (
    <SignInCard intro={i18n._("Enter the e-mail address that the link was sent to.")}>
      <EmailField
        email={pendingEmail.get() ?? ""}
        submit={enter.mutate}
        submitLabel={i18n._("Sign in")}
        busyLabel={enter.isPending ? i18n._("Signing in…") : undefined}
        error={enter.error?.message}
      />
    </SignInCard>
  );
}

interface SignInMethodsProps {
  method: FirebaseMethod;
  firebase: Firebase;
  next: string;
  problem: string | undefined;
  onDone: () => void;
}

function SignInMethods({ method, firebase, next, problem, onDone }: SignInMethodsProps) {
  const { i18n } = useLingui();
  const currentEmail = firebase.currentEmail;
  const enter = useMutation({
    mutationFn: async (way: "known" | "guest") => {
      if (way === "guest") await firebase.signInAsGuest();
      await startFirebaseSession(firebase);
    },
    onSuccess: onDone,
  });
  const isOffered = (way: FirebaseMethod["providers"][number]) => method.providers.includes(way);
  const error = enter.error?.message ?? problem;
  return (
    <SignInCard intro={i18n._("Sign in to keep your scores, on every device.")}>
      {error !== undefined && (
        <p role="alert" className="font-semibold text-link">
          {error}
        </p>
      )}
      {typeof currentEmail === "string" && (
        <Button onClick={() => enter.mutate("known")} disabled={enter.isPending}>
          {i18n._("Continue as {currentEmail}", { currentEmail })}
        </Button>
      )}
      {isOffered("google") && method.google_client_id !== null && (
        <GoogleButton clientId={method.google_client_id} next={next} />
      )}
      {isOffered("email-link") && <SendLinkForm firebase={firebase} next={next} />}
      {isOffered("anonymous") && typeof currentEmail !== "string" && (
        <Button look="quiet" onClick={() => enter.mutate("guest")} disabled={enter.isPending}>
          {currentEmail === null ? i18n._("Continue as guest") : i18n._("Play as guest")}
        </Button>
      )}
    </SignInCard>
  );
}

function GoogleButton({ clientId, next }: { clientId: string; next: string }) {
  const { i18n } = useLingui();
  return (
    <Button look="plain" onClick={() => redirectToGoogle(clientId, next)}>
      {i18n._("Sign in with Google")}
    </Button>
  );
}

function SendLinkForm({ firebase, next }: { firebase: Firebase; next: string }) {
  const { i18n } = useLingui();
  const mail = useMutation({
    mutationFn: async (email: string) => {
      const back = `${location.origin}/sign-in?next=${encodeURIComponent(next)}`;
      await firebase.sendSignInLink(email.trim(), back);
      pendingEmail.set(email.trim());
    },
  });
  if (mail.isSuccess)
    return (
      <p role="status" className="text-lg">
        <Trans
          id="A sign-in link was sent to <0>{email}</0>. Open it in this browser."
          values={{ email: mail.variables.trim() }}
          components={[<strong key="email" />]}
        />
      </p>
    );
  return (
    <EmailField
      submit={mail.mutate}
      submitLabel={i18n._("E-mail me a link")}
      busyLabel={mail.isPending ? i18n._("Sending…") : undefined}
      error={mail.error?.message}
    />
  );
}
