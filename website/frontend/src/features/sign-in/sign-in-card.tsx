import { useLingui } from "@lingui/react";
import type { ReactNode } from "react";

import { Arcs } from "@/components/wordmark";

/** Card around every sign-in method. */
export function SignInCard({ intro, children }: { intro: string; children: ReactNode }) {
  const { i18n } = useLingui();
  return (
    <div className="mx-auto grid max-w-md animate-rise gap-8 pt-14 sm:pt-24">
      <Arcs className="size-20" />
      <div>
        <h1 className="text-6xl sign">{i18n._("Take a seat")}</h1>
        <p className="mt-4 text-lg text-pretty text-dim">{intro}</p>
      </div>
      {children}
    </div>
  );
}
