import { I18nProvider } from "@lingui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { RouterProvider } from "react-router";

import { ApiError } from "@/api/client";
import { i18n } from "@/lib/i18n";

import { router } from "./router";

/**
 * Requests that the server rejected (4xx) are not retried. Network errors and 5xx are retried
 * twice.
 */
function isWorthRetrying(failures: number, error: Error): boolean {
  const silent = !(error instanceof ApiError) || error.status === 0 || error.status >= 500;
  return silent && failures < 2;
}

export function App() {
  const [client] = useState(
    () => new QueryClient({ defaultOptions: { queries: { retry: isWorthRetrying } } }),
  );
  return (
    <I18nProvider i18n={i18n}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </I18nProvider>
  );
}
