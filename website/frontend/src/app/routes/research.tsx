import { Link, Navigate } from "react-router";

import { isResearcher, useSession } from "@/api/session";
import { buttonClass } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { Research } from "@/features/exports/research";

export function ResearchRoute() {
  const session = useSession();
  if (session === null) return <Navigate to={paths.signIn(paths.research)} replace />;
  return (
    <>
      <Title>Research</Title>
      {isResearcher(session) ? (
        <Research userId={session.userId} />
      ) : (
        <Message
          isPage
          title="For researchers"
          action={
            <Link to={paths.account} className={buttonClass("action")}>
              Your own games
            </Link>
          }
        >
          Whoever runs this arcade says who may read everybody’s recordings. If that is you by now,
          sign out and in again.
        </Message>
      )}
    </>
  );
}
