import { useLingui } from "@lingui/react";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { paths } from "@/config/paths";

import { buttonClass } from "./button";
import { Message } from "./message";
import { Title } from "./title";

/** The page while what it shows is loaded. */
export function LoadingPage({ children }: { children?: string }) {
  const { i18n } = useLingui();
  return (
    <p role="status" className="grid h-dvh place-items-center text-lg text-dim">
      {children ?? i18n._("Loading…")}
    </p>
  );
}

interface NotAvailableProps {
  title: string;
  message: string;
  /** Link to another page; by default to all games. */
  link?: { to: string; label: string };
}

/** The page if there is nothing to show: not found, not allowed, or not loaded. */
export function NotAvailablePage({ title, message, link }: NotAvailableProps): ReactNode {
  const { i18n } = useLingui();
  return (
    <main className="px-4">
      <Title>{title}</Title>
      <Message
        isError
        isPage
        title={title}
        action={
          <Link className={buttonClass("action")} to={link?.to ?? paths.games}>
            {link?.label ?? i18n._("All games")}
          </Link>
        }
      >
        {message}
      </Message>
    </main>
  );
}
