import { useEffect, useRef, useState, useSyncExternalStore } from "react";

import { ApiError, fetchPrivateFile, fetchModule, socketUrl, type Game } from "@/api/client";
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

/** Requests a ticket for a game. A server of an older release names no socket. */
export type GetTicket = () => Promise<{ ticket: string; socket?: string | null }>;

async function getAddress(
  gameId: string,
  options: Options,
  getTicket: GetTicket,
): Promise<SocketAddress> {
  try {
    const { ticket, socket } = await getTicket();
    return { url: socketUrl(gameId, options, socket), ticket };
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

/**
 * Creates one engine per game, options and key; closes it on unmount. `getTicket` and `onEngine` are
 * those of the first render: what they depend on is in the key of the component.
 */
export function useEngine(
  game: Game,
  options: Options,
  engineKey: number,
  getTicket: GetTicket,
  onEngine?: (engine: Engine) => () => void,
): Engine | null {
  const hooksRef = useRef({ getTicket, onEngine });
  const [engine, setEngine] = useState<Engine | null>(null);
  useEffect(() => {
    const hooks = hooksRef.current;
    const newEngine = createEngine(game, options, () => hooks.getTicket());
    const disconnect = hooks.onEngine?.(newEngine);
    const stop = runEngine(newEngine);
    setEngine(newEngine);
    return () => {
      disconnect?.();
      stop();
    };
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
