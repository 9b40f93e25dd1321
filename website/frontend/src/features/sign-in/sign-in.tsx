import { useLingui } from "@lingui/react";
import { useQuery } from "@tanstack/react-query";

import { loginMethodQuery } from "@/api/queries";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import { FirebasePanel } from "./firebase-panel";
import { SignInForm } from "./sign-in-form";

interface Props {
  /** Path to open after the sign-in. */
  next: string;
  onDone: (next: string) => void;
}

/** Sign-in with the method that the server uses. */
export function SignIn({ next, onDone }: Props) {
  const { i18n } = useLingui();
  const { data: method, error, refetch } = useQuery(loginMethodQuery);
  if (error !== null) {
    const again = <Button onClick={() => void refetch()}>{i18n._("Try again")}</Button>;
    return (
      <Message isError title={i18n._("Cannot load the sign-in")} action={again}>
        {error.message}
      </Message>
    );
  }
  if (method === undefined)
    return (
      <p role="status" className="sr-only">
        {i18n._("Loading…")}
      </p>
    );
  if (method.method === "email") return <SignInForm />;
  return <FirebasePanel method={method} next={next} onDone={onDone} />;
}
