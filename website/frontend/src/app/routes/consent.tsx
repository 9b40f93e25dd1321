import { useLingui } from "@lingui/react";
import { Navigate, useLocation, useNavigate } from "react-router";

import { useSession } from "@/api/session";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { ConsentForm } from "@/features/consent/consent-form";

/** Only a path of this site is opened after the answer. */
const readNext = (search: string): string => {
  const next = new URLSearchParams(search).get("next") ?? "";
  return /^\/(?![/\\])/.test(next) ? next : paths.games;
};

export function ConsentRoute() {
  const { i18n } = useLingui();
  const session = useSession();
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const next = readNext(search);
  if (session === null) return <Navigate to={paths.signIn(pathname + search)} replace />;
  return (
    <>
      <Title>{i18n._("Recording")}</Title>
      <ConsentForm
        session={session}
        next={next}
        onAnswered={() => void navigate(next, { replace: true })}
      />
    </>
  );
}
