import { useEffect, useState } from "react";

import type { Replay, ReplayClient } from "@/api/replay";
import { GhostPlayer } from "@/play/ghost/ghost-player";
import { browserPlatform } from "@/play/platform";
import { FrameSource } from "@/play/replay/frame-source";
import { StepData } from "@/play/replay/step-data";

/** What a ghost's player needs of its episode. */
type Frames = Pick<Replay, "segments" | "n_frames" | "lives">;

/**
 * Returns the player of a ghost once its first frames are loaded, or have failed to load. It stays
 * the same one while the frames do, also when the rest of the episode's description changes.
 */
export function useGhostPlayer(client: ReplayClient, replay: Frames): GhostPlayer | null {
  const { segments, n_frames, lives } = replay;
  const [player, setPlayer] = useState<GhostPlayer | null>(null);
  useEffect(() => {
    const { opened, isReady, close } = openGhost(client, { segments, n_frames, lives });
    void isReady.then(() => setPlayer(opened));
    return close;
  }, [client, segments, n_frames, lives]);
  return player;
}

/**
 * Creates the player of the ghost, and loads its scores. It is ready once its first frames are
 * loaded; if they cannot be loaded, the game starts without them and the player says why.
 */
function openGhost(
  client: ReplayClient,
  replay: Frames,
): { opened: GhostPlayer; isReady: Promise<unknown>; close: () => void } {
  const source = new FrameSource(replay.segments, (path, signal) => client.file(path, signal));
  const data = new StepData(Math.max(replay.n_frames - 1, 0), replay.lives);
  const abort = new AbortController();
  const opened = new GhostPlayer(browserPlatform, source, () =>
    data.isComplete ? data.scores : null,
  );
  // Without its scores the ghost is shown all the same.
  loadSteps(client, data, abort.signal).catch(() => undefined);
  const close = () => {
    abort.abort();
    opened.close();
  };
  const isReady = source.get(0).catch(() => undefined);
  return { opened, isReady, close };
}

async function loadSteps(client: ReplayClient, data: StepData, signal: AbortSignal): Promise<void> {
  while (!data.isComplete) {
    const page = await client.steps(data.loaded, signal);
    if (page.action.length === 0) return;
    data.add(page);
  }
}
