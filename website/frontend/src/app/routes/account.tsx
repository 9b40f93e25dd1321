import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate } from "react-router";

import { api } from "@/api/client";
import { loginMethodQuery } from "@/api/queries";
import { session as kept, useSession } from "@/api/session";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { OwnData } from "@/features/exports/own-data";
import { closeAccount } from "@/features/sign-in/firebase-account";
import { EraseAccount, type ErasureOutcome } from "@/features/account/erase-account";
import { AccountErased } from "@/features/account/account-erased";
import { PlayHistory } from "@/features/account/play-history";
import { clearLocalStorage } from "@/lib/local-storage-store";

export function AccountRoute() {
  const session = useSession();
  const client = useQueryClient();
  const [outcome, setOutcome] = useState<ErasureOutcome | null>(null);
  const erase = async (word: string) => {
    const erased = await api.erase(word);
    const signInDeleted = await closeAccount(() => client.query(loginMethodQuery)).catch(
      () => false,
    );
    setOutcome({ ...erased, signInDeleted });
    kept.set(null);
    clearLocalStorage();
    client.removeQueries({ queryKey: ["episodes"] });
  };
  if (outcome !== null) {
    return (
      <>
        <Title>Account deleted</Title>
        <AccountErased outcome={outcome} />
      </>
    );
  }
  if (session === null) return <Navigate to={paths.signIn(paths.account)} replace />;
  return (
    <>
      <Title>Your games</Title>
      <PlayHistory session={session} />
      <OwnData />
      <EraseAccount session={session} erase={erase} />
    </>
  );
}
