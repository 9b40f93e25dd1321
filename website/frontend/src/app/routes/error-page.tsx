import { useLingui } from "@lingui/react";
import { isRouteErrorResponse, useRouteError } from "react-router";

import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";

/** Error element of the router: shown if the code of a page fails. */
export function ErrorPage() {
  const { i18n } = useLingui();
  const error = useRouteError();
  const message = isRouteErrorResponse(error)
    ? error.statusText
    : error instanceof Error
      ? error.message
      : String(error);
  return (
    <main className="px-4">
      <Title>{i18n._("Error")}</Title>
      <Message
        isError
        isPage
        title={i18n._("Something went wrong")}
        action={<Button onClick={() => location.reload()}>{i18n._("Reload the page")}</Button>}
      >
        <p>
          {i18n._(
            "The page failed because of an error in its code. Your recorded games are safe. Reload the page to continue.",
          )}
        </p>
        <p className="mt-3 text-sm">{message}</p>
      </Message>
    </main>
  );
}
