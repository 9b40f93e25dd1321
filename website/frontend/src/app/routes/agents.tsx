import { Navigate } from "react-router";

import { useSession } from "@/api/session";
import { paths } from "@/config/paths";
import { AgentsList } from "@/features/agents/agents-list";

export function AgentsRoute() {
  const session = useSession();
  if (session === null) return <Navigate to={paths.signIn(paths.agents)} replace />;
  return <AgentsList userId={session.userId} />;
}
