import { Navigate } from "react-router";

import { useSession } from "@/api/session";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { OwnData } from "@/features/exports/own-data";
import { Played } from "@/features/you/played";

export function YouRoute() {
  const session = useSession();
  if (session === null) return <Navigate to={paths.signIn(paths.you)} replace />;
  return (
    <>
      <Title>You</Title>
      <Played session={session} />
      <OwnData />
    </>
  );
}
