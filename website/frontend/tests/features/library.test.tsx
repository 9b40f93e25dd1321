// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createMemoryRouter, RouterProvider } from "react-router";
import { afterEach, expect, test } from "vitest";

import type { Game } from "@/api/client";
import { gamesQuery } from "@/api/queries";
import { Library } from "@/features/games/library";

import { renderWithTexts } from "../support/render-with-texts";

const COUNT = 200;

/** Number of rendered cards: each one reads its game's cover. */
let drawn = 0;

const game = (_: unknown, index: number): Game => ({
  id: `game-${String(index)}`,
  name: `Game ${String(index)}`,
  summary: index % 10 === 0 ? "A maze." : "A race.",
  pace: { kind: "turn-based" },
  controls: [],
  actions: [],
  options: [],
  agents: [],
  aliases: [],
  steer: null,
  show: { score: true, lives: null, text: null, pixel_aspect: 1, smooth: false },
  tags: ["some"],
  preview: null,
  get cover() {
    drawn += 1;
    return null;
  },
});

afterEach(cleanup);

test("library with 200 cards renders at most the matching cards after a keystroke", async () => {
  const client = new QueryClient();
  client.setQueryDefaults(["games"], { structuralSharing: false });
  client.setQueryData(gamesQuery.queryKey, Array.from({ length: COUNT }, game));
  const router = createMemoryRouter([{ path: "/", element: <Library /> }]);
  renderWithTexts(
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>,
  );
  const user = userEvent.setup();
  expect(screen.getAllByRole("link", { name: /^Game/ })).toHaveLength(COUNT);
  expect(drawn).toBeLessThanOrEqual(COUNT);

  const field = screen.getByRole("searchbox");
  const drawnBy = async (key: string) => {
    drawn = 0;
    await user.type(field, key);
    return drawn;
  };
  expect(await drawnBy("maze")).toBe(0);
  expect(screen.getAllByRole("link", { name: /^Game/ })).toHaveLength(COUNT / 10);
  expect(await drawnBy("{Backspace>4}")).toBeLessThanOrEqual(COUNT - COUNT / 10);
  expect(screen.getAllByRole("link", { name: /^Game/ })).toHaveLength(COUNT);
});
