import { CLOSE_CODES } from "@/wire/close-codes";
import {
  readMessage,
  WireError,
  type ClientMessage,
  type Hello,
  type ServerMessage,
  type Welcome,
} from "@/wire/messages";

import type { CloseReason } from "../driver";
import type { Cancel, Platform } from "../platform";
import type { OpenSocket, Socket } from "./socket";

/** No ticket: in words, and whether trying again by itself makes sense. */
export class TicketError extends Error {
  override name = "TicketRefused";
  constructor(
    message: string,
    readonly help: CloseReason["help"] | "wait",
  ) {
    super(message);
  }
}

export interface ReconnectingSocketOptions {
  platform: Platform;
  openSocket: OpenSocket;
  /** A fresh ticket's socket address. Throws TicketRefused. */
  getAddress: () => Promise<string>;
  getHello: () => Promise<Hello>;
}

export interface ReconnectingSocketEvents {
  welcome: (welcome: Welcome) => void;
  message: (message: Exclude<ServerMessage, Welcome>) => void;
  /** Throws WireError when the packet is damaged; the link then starts over. */
  packet: (packet: ArrayBuffer) => void;
  reconnecting: (attempt: number, words: string) => void;
  closed: (closing: CloseReason) => void;
}

/** Doubling from quick to patient; a lost game waits on the server for some minutes at most. */
const RETRY_DELAYS_MS = [250, 500, 1000, 2000, 4000, 8000] as const;
/** Share of the wait that is drawn, so that players of one fallen server do not return as one. */
const RETRY_JITTER = 0.3;
const MAX_ATTEMPTS = 40;
/** Ticket, socket and welcome must not take longer; a game may have to be loaded meanwhile. */
const CONNECT_TIMEOUT_MS = 20_000;

const NO_RESPONSE_MESSAGE = "The server does not answer. Trying again…";
const DISCONNECTED_MESSAGE = "The connection broke. Your game waits; trying again…";

/**
 * Keeps one play socket open: ticket, hello, welcome, and all of it again with back-off when it breaks.
 *
 * States: idle -> (connecting -> open -> broken)* -> closed. After `closed` nothing is called any more.
 */
export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  readonly #events: ReconnectingSocketEvents;
  #socket: Socket | null = null;
  #isOpen = false;
  #isWelcomed = false;
  #isClosed = false;
  #attempt = 0;
  /** Counts the tries, so that what belongs to an earlier one is told apart. */
  #connectionId = 0;
  #timer: Cancel | null = null;
  /** What the server said when it went: holds until it is back, for that it does not answer meanwhile is no news. */
  #serverMessage: string | null = null;

  constructor(options: ReconnectingSocketOptions, events: ReconnectingSocketEvents) {
    this.#options = options;
    this.#events = events;
  }

  open(): void {
    void this.#connect();
  }

  /** Send a message; dropped silently while there is no welcome: it would be out of order. */
  send(message: ClientMessage): void {
    if (this.#isWelcomed) this.#socket?.send(JSON.stringify(message));
  }

  /** Try now rather than later. */
  reconnectNow(): void {
    if (this.#isClosed || this.#isOpen || this.#timer === null || this.#socket !== null) return;
    this.#timer();
    this.#timer = null;
    void this.#connect();
  }

  /** The other side is silent, or sends what cannot be read: start over. */
  reconnect(message: string): void {
    if (this.#isClosed) return;
    this.#dropSocket();
    this.#scheduleReconnect(message);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#dropSocket(1000);
  }

  async #connect(): Promise<void> {
    const connectionId = ++this.#connectionId;
    const isStale = (): boolean => this.#isClosed || connectionId !== this.#connectionId;
    this.#timer = this.#options.platform.after(CONNECT_TIMEOUT_MS, () =>
      this.reconnect(NO_RESPONSE_MESSAGE),
    );
    try {
      const [address, hello] = await Promise.all([
        this.#options.getAddress(),
        this.#options.getHello(),
      ]);
      if (isStale()) return;
      this.#openSocket(address, hello, isStale);
    } catch (error) {
      if (isStale()) return;
      if (!(error instanceof TicketError)) throw error;
      if (error.help === "wait") this.reconnect(error.message);
      else this.#closeForGood({ message: error.message, help: error.help });
    }
  }

  #openSocket(address: string, hello: Hello, isStale: () => boolean): void {
    const socket = this.#options.openSocket(address, {
      opened: () => {
        if (isStale()) return;
        this.#isOpen = true;
        socket.send(JSON.stringify({ ...hello, at: this.#options.platform.now() }));
      },
      text: (text) => {
        if (!isStale()) this.#reconnectOnWireError(() => this.#onMessage(readMessage(text)));
      },
      binary: (packet) => {
        if (!isStale()) this.#reconnectOnWireError(() => this.#events.packet(packet));
      },
      closed: (code, reason) => {
        if (!isStale()) this.#onClosed(code, reason);
      },
    });
    this.#socket = socket;
  }

  #onMessage(message: ServerMessage): void {
    if (message.type !== "welcome") {
      this.#events.message(message);
      return;
    }
    this.#isWelcomed = true;
    this.#attempt = 0;
    this.#serverMessage = null;
    this.#timer?.();
    this.#timer = null;
    this.#events.welcome(message);
  }

  /** What cannot be read is no reason to lose the game: a new socket begins with a key frame. */
  #reconnectOnWireError(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.reconnect(error.message);
    }
  }

  #onClosed(code: number, reason: string): void {
    const closeCode = Object.hasOwn(CLOSE_CODES, code)
      ? CLOSE_CODES[code as keyof typeof CLOSE_CODES]
      : null;
    const wasWelcomed = this.#isWelcomed;
    this.#dropSocket();
    if (closeCode === null)
      this.#scheduleReconnect(wasWelcomed ? DISCONNECTED_MESSAGE : NO_RESPONSE_MESSAGE);
    else if (closeCode.retry)
      this.#scheduleReconnect((this.#serverMessage = reason || closeCode.words));
    else this.#closeForGood({ message: reason || closeCode.words, ...helpFor(closeCode.name) });
  }

  #scheduleReconnect(message: string): void {
    this.#attempt++;
    if (this.#attempt > MAX_ATTEMPTS) {
      this.#closeForGood({
        message: "The server did not answer for several minutes.",
        help: "reopen",
      });
      return;
    }
    const baseMs = RETRY_DELAYS_MS[Math.min(this.#attempt - 1, RETRY_DELAYS_MS.length - 1)] ?? 8000;
    const delayMs = baseMs * (1 - RETRY_JITTER * this.#options.platform.random());
    this.#timer = this.#options.platform.after(delayMs, () => {
      this.#timer = null;
      void this.#connect();
    });
    this.#events.reconnecting(this.#attempt, this.#serverMessage ?? message);
  }

  #closeForGood(closing: CloseReason): void {
    this.#isClosed = true;
    this.#dropSocket();
    this.#events.closed(closing);
  }

  /** Forget this try; whatever its socket still says is stale. */
  #dropSocket(code?: number): void {
    this.#connectionId++;
    this.#timer?.();
    this.#timer = null;
    this.#socket?.close(code);
    this.#socket = null;
    this.#isOpen = false;
    this.#isWelcomed = false;
  }
}

function helpFor(
  name: (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES]["name"],
): Omit<CloseReason, "message"> {
  switch (name) {
    case "UNKNOWN_GAME":
      return { help: "none" };
    case "TAKEN_OVER":
      return { help: "reopen", title: "In another tab", actionLabel: "Play here" };
    case "FULL":
      return { help: "reopen", title: "Full house", actionLabel: "Try again" };
    case "NO_ROOM":
      return { help: "reopen", title: "Not just now", actionLabel: "Try again" };
    default:
      return { help: "reopen" };
  }
}
