import { useEffect, useRef, useState, useSyncExternalStore } from "react";

import { api, ApiError, fetchPrivateFile, fetchModule, socketUrl, type Game } from "@/api/client";
import { PROBLEMS } from "@/api/problems";
import type { CloseReason } from "@/play/driver";
import { GameEngine, type Engine, type Pace, type Snapshot } from "@/play/engine";
import { listenFocus } from "@/play/input/focus";
import { openWorker } from "@/play/lockstep/browser-worker";
import { LockstepController } from "@/play/lockstep/lockstep-controller";
import { browserPlatform } from "@/play/platform";
import { describeBrowser } from "@/play/remote/client-info";
import { getRefreshRate } from "@/play/remote/refresh-rate";
import { TicketError } from "@/play/remote/reconnecting-socket";
import { createRemoteDriver } from "@/play/remote/remote-driver";
import { openWebSocket, type SocketAddress } from "@/play/remote/socket";
import { openAudioOutput } from "@/play/sound/browser-output";

import type { Race } from "./ghost/race";
import type { Options } from "./options";

function toTicketError(error: unknown): TicketError {
  if (!(error instanceof ApiError)) throw error;
  const problem = PROBLEMS[error.code];
  if (error.status === 0 || (problem?.retry ?? error.status >= 500))
    return new TicketError(error.message, "wait");
  return new TicketError(error.message, helpFor(error), problem?.title);
}

function helpFor({ status, code }: ApiError): CloseReason["help"] {
  if (status === 401) return "sign-in";
  if (code === "ConsentRequired") return "consent";
  return [404, 409, 410].includes(status) ? "none" : "reopen";
}

/** Requests a ticket for a game. */
export type GetTicket = () => Promise<{ ticket: string }>;

async function getAddress(
  gameId: string,
  options: Options,
  getTicket: GetTicket,
): Promise<SocketAddress> {
  try {
    const { ticket } = await getTicket();
    return { url: socketUrl(gameId, options), ticket };
  } catch (error) {
    throw toTicketError(error);
  }
}

function createEngine(game: Game, options: Options, getTicket: GetTicket): Engine {
  const driver = createRemoteDriver(
    {
      platform: browserPlatform,
      openSocket: openWebSocket,
      getAddress: () => getAddress(game.id, options, getTicket),
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

/** Creates one engine per game, options, key and day of a daily challenge; closes it on unmount. */
export function useEngine(
  game: Game,
  options: Options,
  engineKey: number,
  daily: string | null,
  race: Race | undefined,
): Engine | null {
  // Only which episode is raced matters; the rest of `race` is new with each render.
  const raceRef = useRef(race);
  const [engine, setEngine] = useState<Engine | null>(null);
  useEffect(() => {
    const newEngine = createEngine(game, options, () =>
      daily === null
        ? api.ticket({
            game_id: game.id,
            ghost: raceRef.current?.episode ?? null,
            share_token: raceRef.current?.share ?? null,
          })
        : api.dailyTicket(daily),
    );
    const stopRace = raceRef.current?.onEngine(newEngine);
    const stop = runEngine(newEngine);
    setEngine(newEngine);
    return () => {
      stopRace?.();
      stop();
    };
  }, [game, options, engineKey, daily]);
  return engine;
}

/** Creates one engine per game, options and key for a game that needs a ticket of its own. */
export function useTicketEngine(
  game: Game,
  options: Options,
  engineKey: number,
  getTicket: GetTicket,
): Engine | null {
  const getTicketRef = useRef(getTicket);
  const [engine, setEngine] = useState<Engine | null>(null);
  useEffect(() => {
    const newEngine = createEngine(game, options, () => getTicketRef.current());
    const stop = runEngine(newEngine);
    setEngine(newEngine);
    return stop;
  }, [game, options, engineKey]);
  return engine;
}

/** Opens an engine. Returns a function that closes it. */
function runEngine(engine: Engine): () => void {
  const online = () => engine.reconnectNow();
  const stop = listenFocus((state, at) => engine.reportFocus(state, at));
  addEventListener("online", online);
  engine.open();
  return () => {
    removeEventListener("online", online);
    stop();
    engine.close();
  };
}

export function useSnapshot(engine: Engine): Snapshot {
  return useSyncExternalStore(engine.subscribe, engine.getSnapshot);
}
