import { useLingui } from "@lingui/react";
import { Link, Navigate } from "react-router";

import { isResearcher, useSession } from "@/api/session";
import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { Datasets } from "@/features/exports/datasets";
import { Research } from "@/features/exports/research";
import { Dashboard } from "@/features/research/dashboard";

export function ResearchRoute() {
  const { i18n } = useLingui();
  const session = useSession();
  if (session === null) return <Navigate to={paths.signIn(paths.research)} replace />;
  return (
    <>
      <Title>{i18n._("Research")}</Title>
      {isResearcher(session) ? (
        <Dashboard
          userId={session.userId}
          download={<Research userId={session.userId} />}
          datasets={(filters) => <Datasets userId={session.userId} filters={filters} />}
        />
      ) : (
        <Message
          isPage
          title={i18n._("For researchers")}
          action={
            <Link to={paths.account} className={buttonClass("action")}>
              {i18n._("Your games")}
            </Link>
          }
        >
          {i18n._(
            "Only researchers can read the recordings of all players. Ask the operator of this site for access. If you already have it, sign out and sign in again.",
          )}
        </Message>
      )}
    </>
  );
}
