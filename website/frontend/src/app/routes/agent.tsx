import { Navigate, useParams } from "react-router";

import { useSession } from "@/api/session";
import { paths } from "@/config/paths";
import { AgentPage } from "@/features/agents/agent-page";

export function AgentRoute() {
  const session = useSession();
  const { name = "" } = useParams();
  if (session === null) return <Navigate to={paths.signIn(paths.agent(name))} replace />;
  return <AgentPage userId={session.userId} />;
}
