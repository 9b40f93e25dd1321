import { Navigate, useParams } from "react-router";

import { useSession } from "@/api/session";
import { paths } from "@/config/paths";
import { JudgePage } from "@/features/judge/judge-page";

export function JudgeRoute() {
  const { name = "" } = useParams();
  const session = useSession();
  if (session === null) return <Navigate to={paths.signIn(paths.judge(name))} replace />;
  return <JudgePage key={name} userId={session.userId} name={name} />;
}
