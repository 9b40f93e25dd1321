// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

import type { ExportProgress, ExportTicket } from "@/api/client";
import { api } from "@/api/client";
import { useDownload } from "@/features/exports/use-download";

const TICKET = { address: "/exports?ticket=x", progress: "/p", is_prepared: true } as ExportTicket;

function Download({ ticket }: { ticket: ExportTicket }) {
  const { ticketRequest, progress } = useDownload(() => Promise.resolve(ticket));
  return (
    <button onClick={() => ticketRequest.mutate(undefined)}>{progress?.state ?? "new"}</button>
  );
}

function show(ticket: ExportTicket, states: ExportProgress["state"][]) {
  const clicked = vi
    .spyOn(HTMLAnchorElement.prototype, "click")
    .mockImplementation(() => undefined);
  vi.spyOn(api, "exportProgress").mockImplementation(() =>
    Promise.resolve({ state: states.shift() ?? "ready" } as ExportProgress),
  );
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Download ticket={ticket} />
    </QueryClientProvider>,
  );
  screen.getByRole("button").click();
  return clicked;
}

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

test("prepared download starts once, when it is ready", async () => {
  const clicked = show(TICKET, ["waiting"]);
  await waitFor(() => expect(screen.getByRole("button").textContent).toBe("waiting"));
  expect(clicked).not.toHaveBeenCalled();
  await waitFor(() => expect(screen.getByRole("button").textContent).toBe("ready"), {
    timeout: 5000,
  });
  expect(clicked).toHaveBeenCalledOnce();
});

test("download that is made while it is sent starts at once", async () => {
  const clicked = show({ ...TICKET, is_prepared: false }, ["making", "making"]);
  await waitFor(() => expect(clicked).toHaveBeenCalledOnce());
});
