import { LanguageChooser } from "@/components/language-chooser";
import { useLingui } from "@lingui/react";
import { useQueryClient } from "@tanstack/react-query";
import { NavLink, Outlet, ScrollRestoration } from "react-router";

import { loginMethodQuery } from "@/api/queries";
import { isResearcher, session, useSession } from "@/api/session";
import { ThemeButton } from "@/components/theme-button";
import { Wordmark } from "@/components/wordmark";
import { paths } from "@/config/paths";
import { forgetAccount } from "@/features/sign-in/firebase-account";

const tabClass =
  "rounded-full px-1 py-2 text-sm font-semibold whitespace-nowrap text-dim sm:px-3.5 hover:text-ink aria-[current=page]:bg-raised aria-[current=page]:text-ink";

/** Header, navigation and footer of every page except the game page. */
export function Layout() {
  const { i18n } = useLingui();
  const signedIn = useSession();
  const client = useQueryClient();
  const signOut = () => {
    session.set(null);
    for (const key of ["episodes", "research", "boards", "daily", "consent", "judge"])
      client.removeQueries({ queryKey: [key] });
    void forgetAccount(() => client.query(loginMethodQuery));
  };
  return (
    <div className="flex min-h-dvh flex-col overflow-x-clip">
      <a
        href="#main"
        className="sr-only z-10 rounded-full bg-action px-4 py-2 font-semibold text-on-action focus:not-sr-only focus:absolute focus:m-2"
      >
        {i18n._("Skip to main content")}
      </a>
      <header className="border-b border-line/60">
        <div className="mx-auto flex h-16 max-w-[1680px] items-center gap-1 px-4 sm:px-8">
          <Wordmark />
          <nav
            aria-label={i18n._("Main")}
            className="-my-1 ml-auto flex min-w-0 items-center gap-1 overflow-x-auto py-1"
          >
            <NavLink to={paths.games} end className={tabClass}>
              {i18n._("Games")}
            </NavLink>
            <NavLink to={paths.boards} className={tabClass}>
              {i18n._("Boards")}
            </NavLink>
            {signedIn === null ? (
              <NavLink to={paths.signIn()} className={tabClass}>
                {i18n._("Sign in")}
              </NavLink>
            ) : (
              <>
                <NavLink to={paths.account} className={tabClass}>
                  {i18n._("You")}
                </NavLink>
                {isResearcher(signedIn) && (
                  <NavLink to={paths.research} className={tabClass}>
                    {i18n._("Research")}
                  </NavLink>
                )}
                <button type="button" className={tabClass} onClick={signOut}>
                  {i18n._("Sign out")}
                </button>
              </>
            )}
          </nav>
          <ThemeButton />
        </div>
      </header>
      <main id="main" className="mx-auto w-full max-w-[1680px] flex-1 px-4 pb-16 sm:px-8">
        <Outlet />
      </main>
      <footer className="border-t border-line/60 text-dim">
        <div className="mx-auto flex max-w-[1680px] flex-wrap items-center gap-x-8 gap-y-3 px-4 py-6 text-sm sm:px-8">
          <p className="min-w-0 flex-1 basis-80">
            {i18n._(
              "With your consent, every frame you see and every key you press is recorded, exactly, for people who study how we learn.",
            )}
          </p>
          <LanguageChooser />
        </div>
      </footer>
      <ScrollRestoration />
    </div>
  );
}
