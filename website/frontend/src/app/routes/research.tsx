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
  const session = useSession();
  if (session === null) return <Navigate to={paths.signIn(paths.research)} replace />;
  return (
    <>
      <Title>Research</Title>
      {isResearcher(session) ? (
        <Dashboard
          userId={session.userId}
          download={<Research userId={session.userId} />}
          datasets={(filters) => <Datasets userId={session.userId} filters={filters} />}
        />
      ) : (
        <Message
          isPage
          title="For researchers"
          action={
            <Link to={paths.account} className={buttonClass("action")}>
              Your games
            </Link>
          }
        >
          Only researchers can read the recordings of all players. Ask the operator of this site for
          access. If you already have it, sign out and sign in again.
        </Message>
      )}
    </>
  );
}
