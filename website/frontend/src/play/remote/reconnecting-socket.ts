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

/** The server gave no play ticket. `help` says whether to retry or what the player can do. */
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
  /** Returns a socket address with a new ticket. Throws TicketError. */
  getAddress: () => Promise<string>;
  getHello: () => Promise<Hello>;
}

export interface ReconnectingSocketEvents {
  welcome: (welcome: Welcome) => void;
  message: (message: Exclude<ServerMessage, Welcome>) => void;
  /** Handles a binary packet. Throws WireError if it is invalid; the socket then reconnects. */
  packet: (packet: ArrayBuffer) => void;
  reconnecting: (attempt: number, words: string) => void;
  closed: (closing: CloseReason) => void;
}

/**
 * Delays before each retry (exponential back-off). The server keeps a disconnected game for a few
 * minutes.
 */
const RETRY_DELAYS_MS = [250, 500, 1000, 2000, 4000, 8000] as const;
/**
 * Random share of each delay, so that the players of one failed server do not reconnect at the same
 * time.
 */
const RETRY_JITTER = 0.3;
const MAX_ATTEMPTS = 40;
/**
 * Timeout for ticket, socket and welcome together. The server may have to load the game meanwhile.
 */
const CONNECT_TIMEOUT_MS = 20_000;

const NO_RESPONSE_MESSAGE = "The server does not respond. Reconnecting…";
const DISCONNECTED_MESSAGE = "The connection was lost. Your game is paused. Reconnecting…";

/**
 * Keeps one play socket open: gets a ticket, connects, sends `hello`, and reconnects with back-off
 * when the connection is lost.
 *
 * States: idle -> (connecting -> open -> reconnecting)* -> closed. No event follows `closed`.
 */
export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  readonly #events: ReconnectingSocketEvents;
  #socket: Socket | null = null;
  #isOpen = false;
  #isWelcomed = false;
  #isClosed = false;
  #attempt = 0;
  /** Number of the current connection. Events of earlier connections are ignored. */
  #connectionId = 0;
  #timer: Cancel | null = null;
  /**
   * Reason that the server gave when it closed the connection. It is shown until the welcome,
   * because failing retries do not change it.
   */
  #serverMessage: string | null = null;

  constructor(options: ReconnectingSocketOptions, events: ReconnectingSocketEvents) {
    this.#options = options;
    this.#events = events;
  }

  open(): void {
    void this.#connect();
  }

  /** Sends a message. Before the welcome it is dropped because it would be out of order. */
  send(message: ClientMessage): void {
    if (this.#isWelcomed) this.#socket?.send(JSON.stringify(message));
  }

  /** Reconnects now instead of after the retry delay. */
  reconnectNow(): void {
    if (this.#isClosed || this.#isOpen || this.#timer === null || this.#socket !== null) return;
    this.#timer();
    this.#timer = null;
    void this.#connect();
  }

  /** Reconnects, because the server does not respond or sent something invalid. */
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

  /** After invalid data the game continues on a new socket, which begins with a keyframe. */
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
        message: "Could not reconnect: the server has not responded for several minutes.",
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

  /** Closes the current socket. Its later events are ignored. */
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
      return { help: "reopen", title: "Open in another tab", actionLabel: "Play here" };
    case "SERVER_FULL":
      return { help: "reopen", title: "Server full", actionLabel: "Try again" };
    case "RECORDING_UNAVAILABLE":
      return { help: "reopen", title: "No new games", actionLabel: "Try again" };
    default:
      return { help: "reopen" };
  }
}
