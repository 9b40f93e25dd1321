import { translateServerText } from "@/lib/server-texts";
import { i18n } from "@/lib/i18n";
import { CLOSE_CODES } from "@/wire/close-codes";
import { type WatcherMessage, WireError } from "@/wire/messages";

import type { Cancel, Platform } from "../platform";
import type { OpenSocket, Socket } from "../remote/socket";
import { Store } from "../store";
import type { WatchPlayer } from "./watch-player";

const RETRY_DELAYS_MS = [500, 1000, 2000, 4000, 8000] as const;
const LOST_MESSAGE = /*i18n*/ "The connection was lost. Reload the page to try again.";

export type WatchStatus =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "reconnecting" }
  | { kind: "closed"; message: string; isError: boolean };

interface Options {
  platform: Platform;
  openSocket: OpenSocket;
  url: string;
  token: string;
  player: WatchPlayer;
}

/** Connection of a watcher, which reconnects unless the server says that there is nothing to see. */
export class WatchConnection {
  readonly status = new Store<{ status: WatchStatus }>({ status: { kind: "connecting" } });
  readonly #options: Options;
  #socket: Socket | null = null;
  #timer: Cancel | null = null;
  #attempt = 0;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  open(): void {
    const { openSocket, url, token, player } = this.#options;
    this.#timer = null;
    const socket = openSocket(
      { url, ticket: token },
      {
        opened: () => undefined,
        text: (text) => {
          if (socket === this.#socket) this.#handle(() => player.receive(readWatcherMessage(text)));
        },
        binary: (batch) => {
          if (socket === this.#socket) this.#handle(() => player.receiveBatch(batch));
        },
        closed: (code, reason) => {
          if (socket === this.#socket) this.#onClosed(code, reason);
        },
      },
    );
    this.#socket = socket;
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.();
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #handle(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#socket?.close();
      this.#retry();
      return;
    }
    this.#attempt = 0;
    if (this.status.getSnapshot().status.kind !== "live")
      this.status.set({ status: { kind: "live" } });
  }

  #onClosed(code: number, reason: string): void {
    const known = Object.hasOwn(CLOSE_CODES, code)
      ? CLOSE_CODES[code as keyof typeof CLOSE_CODES]
      : null;
    if (known === null || known.retry) {
      this.#retry();
      return;
    }
    const isError = known.name !== "NORMAL" && known.name !== "WATCHING_ENDED";
    this.#end(translateServerText(reason || known.words, known.words), isError);
  }

  #retry(): void {
    this.#socket = null;
    if (this.#isClosed) return;
    const delay = RETRY_DELAYS_MS[this.#attempt++];
    if (delay === undefined) {
      this.#end(i18n._(LOST_MESSAGE), true);
      return;
    }
    this.status.set({ status: { kind: "reconnecting" } });
    this.#timer = this.#options.platform.after(delay, () => this.open());
  }

  #end(message: string, isError: boolean): void {
    this.#isClosed = true;
    this.#socket = null;
    this.status.set({ status: { kind: "closed", message, isError } });
  }
}

/** Parses a text message to a watcher. Throws WireError if its type is unknown. */
function readWatcherMessage(text: string): WatcherMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new WireError("The server sent a message that is not valid JSON. Reload the page.");
  }
  const { type } = (message ?? {}) as { type?: unknown };
  if (type !== "game" && type !== "scene")
    throw new WireError("The server sent a message of an unknown type. Reload the page.");
  return message as WatcherMessage;
}
