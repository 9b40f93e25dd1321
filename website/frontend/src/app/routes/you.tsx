import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate } from "react-router";

import { api } from "@/api/client";
import { loginMethodQuery } from "@/api/queries";
import { session as kept, useSession } from "@/api/session";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { OwnData } from "@/features/exports/own-data";
import { closeAccount } from "@/features/sign-in/account";
import { Account, type Farewell } from "@/features/you/account";
import { Gone } from "@/features/you/gone";
import { Played } from "@/features/you/played";
import { forgetStored } from "@/lib/stored";

export function YouRoute() {
  const session = useSession();
  const client = useQueryClient();
  const [farewell, setFarewell] = useState<Farewell | null>(null);
  const erase = async (word: string) => {
    const erased = await api.erase(word);
    const closed = await closeAccount(() => client.query(loginMethodQuery)).catch(() => false);
    setFarewell({ ...erased, closed });
    kept.set(null);
    forgetStored();
    client.removeQueries({ queryKey: ["episodes"] });
  };
  if (farewell !== null) {
    return (
      <>
        <Title>Gone</Title>
        <Gone farewell={farewell} />
      </>
    );
  }
  if (session === null) return <Navigate to={paths.signIn(paths.you)} replace />;
  return (
    <>
      <Title>You</Title>
      <Played session={session} />
      <OwnData />
      <Account session={session} erase={erase} />
    </>
  );
}
