// @vitest-environment happy-dom
import { focusManager, QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test, vi } from "vitest";

import { api, type Game } from "@/api/client";
import { gameQuery } from "@/api/queries";
import { type Replay, ReplayClient } from "@/api/replay";
import { useGhostPlayer } from "@/features/play/ghost/use-ghost-player";
import { RecordedRound } from "@/features/play/recorded-round";
import { useReplay } from "@/features/replay/use-replay";

import { renderWithTexts } from "../support/render-with-texts";

const KEY = ["episodes", "replay", "one"];
const REPLAY = {
  ...{ id: "one", n_frames: 3, lives: null, certificate: null, score: 0 },
  game: { id: "breakout", show: { text: null } },
  segments: [{ number: 0, first_frame: 0, n_frames: 3, frames: "/frames" }],
} as unknown as Replay;
const CERTIFICATE = { result: "certified", step: null, reason: "", time_created: "2026-11-30" };

/** Client of an episode whose files and steps never arrive. */
class SilentClient extends ReplayClient {
  override file = () => new Promise<ArrayBuffer>(() => undefined);
  override steps = () => new Promise<never>(() => undefined);
  override events = () => new Promise<never>(() => undefined);
}

/** Client of an episode whose files cannot be loaded, so that a ghost is ready without them. */
class FailingClient extends SilentClient {
  override file = () => Promise.reject(new Error("The file is missing."));
}

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.useRealTimers();
  focusManager.setFocused(undefined);
});

/** Renders a hook with the description of an episode, and returns what it returned. */
function renderWithReplay<Result>(use: (replay: Replay) => Result) {
  const queries = new QueryClient();
  queries.setQueryData(KEY, REPLAY);
  const results: Result[] = [];
  function Page() {
    const { data = REPLAY } = useQuery<Replay>({ queryKey: KEY, staleTime: Infinity });
    results.push(use(data));
    return null;
  }
  render(
    <QueryClientProvider client={queries}>
      <Page />
    </QueryClientProvider>,
  );
  /** Receives the description once more, as JSON of a new answer. */
  const receive = (changes: object) =>
    queries.setQueryData(KEY, { ...structuredClone(REPLAY), ...changes });
  return { results, receive };
}

test("replay stays open when its episode is certified while it is watched", async () => {
  const client = new SilentClient("one", null);
  const { results, receive } = renderWithReplay((replay) =>
    useReplay(replay, client, () => Promise.resolve()),
  );
  const first = results.at(-1);
  expect(first?.player).toBeDefined();
  receive({ certificate: CERTIFICATE });
  await waitFor(() => expect(results.at(-1)?.replay.certificate).toEqual(CERTIFICATE));
  expect(results.at(-1)?.player).toBe(first?.player);
});

test("ghost stays the same when its episode is certified during the race", async () => {
  const client = new FailingClient("one", null);
  const { results, receive } = renderWithReplay((replay) => useGhostPlayer(client, replay));
  await waitFor(() => expect(results.at(-1)).not.toBeNull());
  const first = results.at(-1);
  const count = results.length;
  receive({ certificate: CERTIFICATE });
  await waitFor(() => expect(results.length).toBeGreaterThan(count));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(results.at(-1)).toBe(first);
});

test("round stays open when its description cannot be fetched again", async () => {
  const queries = new QueryClient();
  const fetched = vi.spyOn(globalThis, "fetch").mockResolvedValueOnce(Response.json(REPLAY));
  renderWithTexts(
    <QueryClientProvider client={queries}>
      <MemoryRouter>
        <RecordedRound
          game={{ id: "breakout" } as Game}
          episode="one"
          share={null}
          errorTitle="Not available"
          withoutLabel="Play"
        >
          {() => "the game"}
        </RecordedRound>
      </MemoryRouter>
    </QueryClientProvider>,
  );
  await screen.findByText("the game");
  fetched.mockResolvedValue(Response.json({ detail: "The server restarts." }, { status: 503 }));
  await queries.invalidateQueries({ queryKey: ["episodes"] });
  expect(queries.getQueryState(["episodes", "replay", "one", null])?.status).toBe("error");
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(screen.queryByText("the game")).not.toBeNull();
});

test("game that is open is not fetched again when its window is chosen", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const fetched = vi.spyOn(api, "game").mockResolvedValue({ id: "breakout" } as Game);
  function Page() {
    return useQuery(gameQuery("breakout")).data?.id;
  }
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Page />
    </QueryClientProvider>,
  );
  await screen.findByText("breakout");
  vi.setSystemTime(Date.now() + 3_600_000);
  focusManager.setFocused(false);
  focusManager.setFocused(true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(fetched).toHaveBeenCalledOnce();
});
