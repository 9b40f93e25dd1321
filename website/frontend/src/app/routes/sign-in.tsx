import { useLingui } from "@lingui/react";
import { useCallback, useState } from "react";
import { Navigate, useSearchParams } from "react-router";

import { useSession } from "@/api/session";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { isSignInRedirect } from "@/features/sign-in/sign-in-redirect";
import { SignIn } from "@/features/sign-in/sign-in";

/** Allows only paths of this site; "//host" would lead to another one. */
const safePath = (next: string | null): string =>
  next !== null && /^\/(?![/\\])/.test(next) ? next : paths.games;

export function SignInRoute() {
  const { i18n } = useLingui();
  const [search] = useSearchParams();
  const session = useSession();
  const [next, setNext] = useState(() => safePath(search.get("next")));
  // A guest who adds an e-mail stays on this page although a session exists.
  const [busy, setBusy] = useState(
    () => isSignInRedirect(window.location) || (search.has("keep") && session?.email === null),
  );
  const finish = useCallback((to: string) => {
    setNext(safePath(to));
    setBusy(false);
  }, []);
  if (session !== null && !busy) return <Navigate to={next} replace />;
  return (
    <>
      <Title>{i18n._("Sign in")}</Title>
      <SignIn next={next} onDone={finish} />
    </>
  );
}
