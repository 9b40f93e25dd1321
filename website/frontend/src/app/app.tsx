import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { RouterProvider } from "react-router";

import { ApiError } from "@/api/client";

import { router } from "./router";

/** What the server understood and refused stays refused; only silence is worth another try. */
function isWorthRetrying(failures: number, error: Error): boolean {
  const silent = !(error instanceof ApiError) || error.status === 0 || error.status >= 500;
  return silent && failures < 2;
}

export function App() {
  const [client] = useState(
    () => new QueryClient({ defaultOptions: { queries: { retry: isWorthRetrying } } }),
  );
  return (
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}
