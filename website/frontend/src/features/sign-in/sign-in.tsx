import { useQuery } from "@tanstack/react-query";

import { loginMethodQuery } from "@/api/queries";
import { Button } from "@/components/button";
import { Message } from "@/components/message";

import { FirebasePanel } from "./firebase-panel";
import { SignInForm } from "./sign-in-form";

interface Props {
  /** Where to go once signed in. */
  next: string;
  onDone: (next: string) => void;
}

/** Signs in as this arcade does it. */
export function SignIn({ next, onDone }: Props) {
  const { data: method, error, refetch } = useQuery(loginMethodQuery);
  if (error !== null) {
    const again = <Button onClick={() => void refetch()}>Try again</Button>;
    return (
      <Message isError title="The door is stuck" action={again}>
        {error.message}
      </Message>
    );
  }
  if (method === undefined)
    return (
      <p role="status" className="sr-only">
        One moment…
      </p>
    );
  if (method.method === "email") return <SignInForm />;
  return <FirebasePanel method={method} next={next} onDone={onDone} />;
}
