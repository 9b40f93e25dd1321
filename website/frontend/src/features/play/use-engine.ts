import { useEffect, useState, useSyncExternalStore } from "react";

import { api, ApiError, fetchPrivateFile, fetchModule, socketUrl, type Game } from "@/api/client";
import { GameEngine, type Engine, type Pace, type Snapshot } from "@/play/engine";
import { listenFocus } from "@/play/input/focus";
import { openWorker } from "@/play/lockstep/browser-worker";
import { LockstepController } from "@/play/lockstep/lockstep-controller";
import { browserPlatform } from "@/play/platform";
import { describeBrowser } from "@/play/remote/client-info";
import { getRefreshRate } from "@/play/remote/refresh-rate";
import { TicketError } from "@/play/remote/reconnecting-socket";
import { createRemoteDriver } from "@/play/remote/remote-driver";
import { openWebSocket } from "@/play/remote/socket";
import { openAudioOutput } from "@/play/sound/browser-output";

import type { Options } from "./options";

function toTicketError(error: unknown): TicketError {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0 || error.status === 429 || error.status >= 500)
    return new TicketError(error.message, "wait");
  if (error.status === 401) return new TicketError(error.message, "sign-in");
  return new TicketError(error.message, error.status === 404 ? "none" : "reopen");
}

async function getAddress(gameId: string, options: Options): Promise<string> {
  try {
    return socketUrl(gameId, (await api.ticket(gameId)).ticket, options);
  } catch (error) {
    throw toTicketError(error);
  }
}

function createEngine(game: Game, options: Options): Engine {
  const driver = createRemoteDriver(
    {
      platform: browserPlatform,
      openSocket: openWebSocket,
      getAddress: () => getAddress(game.id, options),
      getHello: async () => describeBrowser(browserPlatform, await getRefreshRate()),
    },
    (hooks) =>
      new LockstepController({
        ...hooks,
        platform: browserPlatform,
        openWorker,
        fetchModule,
        fetchRom: fetchPrivateFile,
      }),
  );
  return new GameEngine(browserPlatform, driver, paceOf(game, options), openAudioOutput);
}

/** Returns the game's pace at the selected speed. */
function paceOf({ pace }: Game, { speed = "1" }: Options): Pace {
  return pace.kind === "real-time" ? { ...pace, hz: pace.hz * Number(speed) } : pace;
}

/** Creates one engine per game, options and key, and closes it on unmount. */
export function useEngine(game: Game, options: Options, engineKey: number): Engine | null {
  const [engine, setEngine] = useState<Engine | null>(null);
  useEffect(() => {
    const newEngine = createEngine(game, options);
    const online = () => newEngine.reconnectNow();
    const stop = listenFocus((state, at) => newEngine.reportFocus(state, at));
    addEventListener("online", online);
    newEngine.open();
    setEngine(newEngine);
    return () => {
      removeEventListener("online", online);
      stop();
      newEngine.close();
    };
  }, [game, options, engineKey]);
  return engine;
}

export function useSnapshot(engine: Engine): Snapshot {
  return useSyncExternalStore(engine.subscribe, engine.getSnapshot);
}
