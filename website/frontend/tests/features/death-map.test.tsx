// @vitest-environment happy-dom
import { I18nProvider } from "@lingui/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { MemoryRouter } from "react-router";
import { expect, test } from "vitest";

import { DeathMap, listMaps } from "@/features/research/death-map";
import { i18n } from "@/lib/i18n";

const row = (variant: string, screen: number, column: number, deaths: number) => ({
  variant,
  screen,
  columns: 20,
  rows: 21,
  column,
  row: 3,
  deaths,
  players: 2,
  episode_id: `01a2285a-ccc0-76df-923e-e0fa0000000${String(column)}`,
  frame: 41,
});
const ROWS = [row("alien", 0, 1, 5), row("alien", 0, 2, 1), row("alien?mode=2", 4, 3, 9)];

test("listMaps divides deaths by variant and screen, most deaths first", () => {
  const maps = listMaps(ROWS);
  expect(maps.map(({ variant, screen, cells }) => [variant, screen, cells.length])).toEqual([
    ["alien?mode=2", 4, 1],
    ["alien", 0, 2],
  ]);
});

test("DeathMap links each cell to the frame before its newest death", () => {
  const markup = renderToStaticMarkup(
    <I18nProvider i18n={i18n}>
      <QueryClientProvider client={new QueryClient()}>
        <MemoryRouter>
          <DeathMap rows={ROWS} width={400} label="Where people die" userId="rosa" />
        </MemoryRouter>
      </QueryClientProvider>
    </I18nProvider>,
  );
  expect(markup.match(/<a /g)).toHaveLength(3);
  expect(markup).toContain('href="/replay/01a2285a-ccc0-76df-923e-e0fa00000001?f=41"');
  expect(markup).toContain("Replay of a death in column 2, row 4: 5 deaths of 2 players");
  expect(markup).toContain("alien?mode=2, screen 4: 9 deaths");
  expect(markup).toContain("the fullest cell has 9");
});
