import { isRouteErrorResponse, useRouteError } from "react-router";

import { Button } from "@/components/button";
import { Message } from "@/components/message";
import { Title } from "@/components/title";

/** What is left when a page's own code failed. */
export function ErrorPage() {
  const error = useRouteError();
  const message = isRouteErrorResponse(error)
    ? error.statusText
    : error instanceof Error
      ? error.message
      : String(error);
  return (
    <main className="px-4">
      <Title>Out of order</Title>
      <Message
        isError
        isPage
        title="This machine is out of order"
        action={<Button onClick={() => location.reload()}>Reload the page</Button>}
      >
        <p>That is our fault. What you have played is kept.</p>
        <p className="mt-3 text-sm">{message}</p>
      </Message>
    </main>
  );
}
