// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, waitFor } from "@testing-library/react";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, expect, test, vi } from "vitest";

import { myConsentQuery } from "@/api/consent";
import { gamesQuery } from "@/api/queries";
import { session } from "@/api/session";
import { LibraryRoute } from "@/app/routes/library";

import { renderWithTexts } from "../support/render-with-texts";

afterEach(() => {
  cleanup();
  session.set(null);
  vi.restoreAllMocks();
});

/** Shows the library. Returns its queries and the paths that it has fetched so far. */
function showLibrary(): { queries: QueryClient; fetched: string[] } {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  queries.setQueryData(gamesQuery.queryKey, []);
  const fetched: string[] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation((request) => {
    const { pathname } = new URL(request instanceof Request ? request.url : request, location.href);
    fetched.push(pathname);
    return Promise.resolve(
      pathname === "/me/consent"
        ? Response.json({ needs_answer: false })
        : Response.json({ detail: "Not found." }, { status: 404 }),
    );
  });
  const router = createMemoryRouter([{ path: "/", element: <LibraryRoute /> }]);
  renderWithTexts(
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  return { queries, fetched };
}

test("library fetches the player's consent, so that a game opens without waiting for it", async () => {
  session.set({ userId: "ada", token: "t", email: null, expiresAt: "2100-01-01T00:00:00Z" });
  const { queries, fetched } = showLibrary();
  await waitFor(
    () =>
      expect(queries.getQueryData(myConsentQuery("ada").queryKey)).toEqual({ needs_answer: false }),
    { timeout: 3000 },
  );
  expect(fetched.filter((path) => path === "/me/consent")).toHaveLength(1);
});

test("library of a visitor asks for no consent", async () => {
  const { fetched } = showLibrary();
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(fetched).not.toContain("/me/consent");
});
