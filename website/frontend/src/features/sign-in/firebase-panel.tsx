import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";

import type { FirebaseMethod } from "@/api/client";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import { finishGoogle, mailed, openFirebase, startFirebaseSession } from "./account";
import { EmailField } from "./email-field";
import type { Firebase } from "./firebase";
import { goToGoogle } from "./google";
import { isMailLink } from "./returning";
import { Seat } from "./seat";

interface Props {
  method: FirebaseMethod;
  next: string;
  onDone: (next: string) => void;
}

const settled = { staleTime: Infinity, gcTime: Infinity, retry: false } as const;

/** Signing in by Firebase: loads its SDK, finishes what was begun elsewhere, or offers the ways there are. */
export function FirebasePanel({ method, next, onDone }: Props) {
  const opening = useQuery({
    queryKey: ["firebase"],
    queryFn: () => openFirebase(method),
    ...settled,
  });
  const firebase = opening.data;
  const finishing = useQuery({
    queryKey: ["firebase", "google"],
    queryFn: () => (firebase === undefined ? null : finishGoogle(firebase)),
    enabled: firebase !== undefined,
    ...settled,
  });
  const { data: finished } = finishing;
  useEffect(() => {
    if (typeof finished === "string") onDone(finished);
  }, [finished, onDone]);
  if (opening.error !== null)
    return (
      <Message alarming title="The door is stuck">
        {opening.error.message}
      </Message>
    );
  if (firebase === undefined || finishing.isPending || typeof finished === "string")
    return <Seat words="One moment…">{null}</Seat>;
  if (isMailLink(location.search))
    return <OpenedLink firebase={firebase} onDone={() => onDone(next)} />;
  return (
    <Ways
      method={method}
      firebase={firebase}
      next={next}
      problem={finishing.error?.message}
      onDone={() => onDone(next)}
    />
  );
}

/** Somebody comes from a link in a mail. The address is asked for, so that a stolen link alone opens nothing. */
function OpenedLink({ firebase, onDone }: { firebase: Firebase; onDone: () => void }) {
  const enter = useMutation({
    mutationFn: async (email: string) => {
      await firebase.enterByLink(email, location.href);
      await startFirebaseSession(firebase);
      mailed.set(null);
    },
    onSuccess: onDone,
  });
  return (
    <Seat words="To which address was the link mailed?">
      <EmailField
        email={mailed.get() ?? ""}
        submit={enter.mutate}
        action="Sign in"
        busy={enter.isPending ? "Signing in…" : undefined}
        problem={enter.error?.message}
      />
    </Seat>
  );
}

interface WaysProps {
  method: FirebaseMethod;
  firebase: Firebase;
  next: string;
  problem: string | undefined;
  onDone: () => void;
}

function Ways({ method, firebase, next, problem, onDone }: WaysProps) {
  const known = firebase.present;
  const enter = useMutation({
    mutationFn: async (way: "known" | "guest") => {
      if (way === "guest") await firebase.enterAsGuest();
      await startFirebaseSession(firebase);
    },
    onSuccess: onDone,
  });
  const offers = (way: FirebaseMethod["providers"][number]) => method.providers.includes(way);
  const trouble = enter.error?.message ?? problem;
  return (
    <Seat words="An account keeps your scores together, on every device.">
      {trouble !== undefined && (
        <p role="alert" className="font-semibold text-link">
          {trouble}
        </p>
      )}
      {typeof known === "string" && (
        <Button onClick={() => enter.mutate("known")} disabled={enter.isPending}>
          Go on as {known}
        </Button>
      )}
      {offers("google") && method.google_client_id !== null && (
        <GoogleButton clientId={method.google_client_id} next={next} />
      )}
      {offers("email-link") && <MailForm firebase={firebase} next={next} />}
      {offers("anonymous") && typeof known !== "string" && (
        <Button look="quiet" onClick={() => enter.mutate("guest")} disabled={enter.isPending}>
          {known === null ? "Stay a guest" : "Play as a guest"}
        </Button>
      )}
    </Seat>
  );
}

function GoogleButton({ clientId, next }: { clientId: string; next: string }) {
  return (
    <Button look="plain" onClick={() => goToGoogle(clientId, next)}>
      Sign in with Google
    </Button>
  );
}

function MailForm({ firebase, next }: { firebase: Firebase; next: string }) {
  const mail = useMutation({
    mutationFn: async (email: string) => {
      const back = `${location.origin}/sign-in?next=${encodeURIComponent(next)}`;
      await firebase.mailLink(email.trim(), back);
      mailed.set(email.trim());
    },
  });
  if (mail.isSuccess)
    return (
      <p role="status" className="text-lg">
        A link is on its way to <strong>{mail.variables.trim()}</strong>. Open it in this browser.
      </p>
    );
  return (
    <EmailField
      submit={mail.mutate}
      action="Mail me a link"
      busy={mail.isPending ? "Sending…" : undefined}
      problem={mail.error?.message}
    />
  );
}
