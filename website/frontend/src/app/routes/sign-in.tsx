import { Navigate, useSearchParams } from "react-router";

import { useSession } from "@/api/session";
import { Title } from "@/components/title";
import { paths } from "@/config/paths";
import { SignInForm } from "@/features/sign-in/sign-in-form";

export function SignInRoute() {
  const [search] = useSearchParams();
  const next = search.get("next");
  // Only a page of ours: "//host" would lead away.
  const target = next !== null && /^\/(?![/\\])/.test(next) ? next : paths.games;
  if (useSession() !== null) return <Navigate to={target} replace />;
  return (
    <>
      <Title>Sign in</Title>
      <SignInForm />
    </>
  );
}
