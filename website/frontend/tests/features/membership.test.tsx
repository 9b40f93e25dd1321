// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test } from "vitest";

import { type MyConsent, myConsentQuery } from "@/api/consent";
import { membershipQuery } from "@/api/boards";
import type { Session } from "@/api/session";
import { Membership } from "@/features/boards/membership";

import { renderWithTexts } from "../support/render-with-texts";

afterEach(cleanup);

test.each([
  { scopes: ["research"] as const, isWarned: true },
  { scopes: ["research", "boards"] as const, isWarned: false },
])("opting in with the scopes $scopes warns: $isWarned", ({ scopes, isWarned }) => {
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  client.setQueryData(membershipQuery("ada").queryKey, {
    name: "Ada",
    is_chosen: true,
    is_listed: true,
  });
  client.setQueryData(myConsentQuery("ada").queryKey, { scopes } as unknown as MyConsent);
  renderWithTexts(
    <QueryClientProvider client={client}>
      <MemoryRouter>
        <Membership session={{ userId: "ada" } as Session} />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  const links = screen.queryAllByRole("link", { name: "Change your answer" });
  expect(links.map((link) => link.getAttribute("href"))).toEqual(
    isWarned ? ["/consent?next=%2Fyou%23boards"] : [],
  );
});
