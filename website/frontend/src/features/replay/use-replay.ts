import { useEffect, useMemo, useState, useSyncExternalStore } from "react";

import type { ReplayClient } from "@/api/replay";
import { type Replay, type ReplayCaption, type ReplayEvent } from "@/api/replay";
import { browserPlatform } from "@/play/platform";
import { FrameSource } from "@/play/replay/frame-source";
import {
  findPresses,
  isNotable,
  lifeLostFrames,
  type Press,
  rewardFrames,
} from "@/play/replay/markers";
import { ReplayPlayer, type ReplayState } from "@/play/replay/replay-player";
import { StepData } from "@/play/replay/step-data";
import { Store, type ReadableStore } from "@/play/store";

/** What is loaded after the first picture. Objects are replaced when they have changed. */
export interface LoadedData {
  /** Number of loaded steps. */
  loaded: number;
  events: readonly ReplayEvent[];
  notable: readonly ReplayEvent[];
  presses: readonly Press[];
  captions: readonly ReplayCaption[];
  rewards: readonly number[];
  livesLost: readonly number[];
  error: string | null;
}

/** An episode in the viewer. */
export interface ReplayModel {
  replay: Replay;
  client: ReplayClient;
  player: ReplayPlayer;
  data: StepData;
  loaded: ReadableStore<LoadedData>;
}

const NOTHING: LoadedData = {
  loaded: 0,
  events: [],
  notable: [],
  presses: [],
  captions: [],
  rewards: [],
  livesLost: [],
  error: null,
};

/**
 * Opens an episode on a frame, and loads steps, events and captions after the first picture. It
 * stays open while its frames stay the same, also when the rest of its description changes.
 */
export function useReplay(
  replay: Replay,
  client: ReplayClient,
  prepare: (player: ReplayPlayer) => Promise<void>,
): ReplayModel | null {
  const [model, setModel] = useState<ReplayModel | null>(null);
  const { segments, n_frames, lives, game } = replay;
  useEffect(() => {
    const { opened, close } = openReplay(replay, client, prepare);
    setModel(opened);
    return close;
    // Not `prepare`, which is for the start only.
  }, [client, segments, n_frames, lives, game]);
  return useMemo(
    () => (model?.client === client ? { ...model, replay } : null),
    [model, replay, client],
  );
}

function openReplay(
  replay: Replay,
  client: ReplayClient,
  prepare: (player: ReplayPlayer) => Promise<void>,
): { opened: ReplayModel; close: () => void } {
  const source = new FrameSource(replay.segments, (path, signal) => client.file(path, signal));
  const data = new StepData(Math.max(replay.n_frames - 1, 0), replay.lives);
  const player = new ReplayPlayer(browserPlatform, source, data);
  const loaded = new Store<LoadedData>(NOTHING);
  const abort = new AbortController();
  // The first picture does not share the network and the server with the steps.
  const prepared = prepare(player);
  const report = (error: unknown) => {
    if (!abort.signal.aborted && error instanceof Error) loaded.set({ error: error.message });
  };
  prepared.then(() => loadSteps(client, data, player, loaded, abort.signal)).catch(report);
  prepared.then(() => loadEvents(client, replay, loaded, abort.signal)).catch(report);
  const close = () => {
    abort.abort();
    player.close();
  };
  return { opened: { replay, client, player, data, loaded }, close };
}

async function loadSteps(
  client: ReplayClient,
  data: StepData,
  player: ReplayPlayer,
  loaded: Store<LoadedData>,
  signal: AbortSignal,
): Promise<void> {
  while (!data.isComplete) {
    const page = await client.steps(data.loaded, signal);
    if (page.action.length === 0) break;
    data.add(page);
    player.setTimes(data);
    loaded.set({
      loaded: data.loaded,
      rewards: rewardFrames(data),
      livesLost: lifeLostFrames(data),
    });
  }
}

async function loadEvents(
  client: ReplayClient,
  replay: Replay,
  loaded: Store<LoadedData>,
  signal: AbortSignal,
): Promise<void> {
  if (replay.game.show.text !== null) loaded.set({ captions: await client.captions(signal) });
  const events = await client.events(signal);
  loaded.set({
    events,
    notable: events.filter(isNotable),
    presses: findPresses(events, replay.n_frames),
  });
}

export const usePlayerState = (player: ReplayPlayer): ReplayState =>
  useSyncExternalStore(player.state.subscribe, player.state.getSnapshot);

/** Returns the frame that is shown. */
export const useFrame = (player: ReplayPlayer): number =>
  useSyncExternalStore(player.state.subscribe, () => player.state.getSnapshot().frame);

export const useLoaded = ({ loaded }: ReplayModel): LoadedData =>
  useSyncExternalStore(loaded.subscribe, loaded.getSnapshot);
