// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { cleanup, render, waitFor } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";

import { type Replay, ReplayClient } from "@/api/replay";
import { useGhostPlayer } from "@/features/play/ghost/use-ghost-player";
import { useReplay } from "@/features/replay/use-replay";

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

afterEach(cleanup);

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
