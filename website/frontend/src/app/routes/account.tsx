import { useLingui } from "@lingui/react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Navigate } from "react-router";

import { api } from "@/api/client";
import { ageRefusal } from "@/api/consent";
import { loginMethodQuery } from "@/api/queries";
import { session as kept, useSession } from "@/api/session";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { OwnData } from "@/features/exports/own-data";
import { closeAccount, currentIdToken } from "@/features/sign-in/firebase-account";
import { EraseAccount, type ErasureOutcome } from "@/features/account/erase-account";
import { AccountErased } from "@/features/account/account-erased";
import { Membership } from "@/features/boards/membership";
import { ConsentCard } from "@/features/consent/consent-card";
import { PlayHistory } from "@/features/account/play-history";
import { clearLocalStorage } from "@/lib/local-storage-store";

export function AccountRoute() {
  const { i18n } = useLingui();
  const session = useSession();
  const client = useQueryClient();
  const [outcome, setOutcome] = useState<ErasureOutcome | null>(null);
  const erase = async (word: string) => {
    const loginMethod = () => client.query(loginMethodQuery);
    // The server deletes the Firebase account of a token also if the sign-in is too old for the page.
    const idToken = await currentIdToken(loginMethod).catch(() => null);
    const erased = await api.erase(word, idToken);
    const signInDeleted = await closeAccount(loginMethod, erased.sign_in_deleted).catch(
      () => false,
    );
    setOutcome({ ...erased, signInDeleted });
    kept.set(null);
    const refusal = ageRefusal.get();
    clearLocalStorage();
    if (refusal !== null) ageRefusal.set(refusal);
    for (const key of ["episodes", "consent"]) client.removeQueries({ queryKey: [key] });
  };
  if (outcome !== null) {
    return (
      <>
        <Title>{i18n._("Account deleted")}</Title>
        <AccountErased outcome={outcome} />
      </>
    );
  }
  if (session === null) return <Navigate to={paths.signIn(paths.account)} replace />;
  return (
    <>
      <Title>{i18n._("Your games")}</Title>
      <PlayHistory session={session} />
      <ConsentCard session={session} />
      <Membership session={session} />
      <OwnData />
      <EraseAccount session={session} erase={erase} />
    </>
  );
}
