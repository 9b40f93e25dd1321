import { translateServerText } from "@/lib/server-texts";
import { i18n } from "@/lib/i18n";
import { CLOSE_CODES } from "@/wire/close-codes";
import {
  readMessage,
  WireError,
  type ClientMessage,
  type Hello,
  type ServerMessage,
  type Welcome,
} from "@/wire/messages";

import type { CloseReason, ReconnectCause } from "../driver";
import type { Cancel, Platform } from "../platform";
import type { OpenSocket, Socket, SocketAddress } from "./socket";

/** The server gave no play ticket. `help` says whether to retry or what the player can do. */
export class TicketError extends Error {
  override name = "TicketRefused";
  constructor(
    message: string,
    readonly help: CloseReason["help"] | "wait",
    readonly title = "",
  ) {
    super(message);
  }
}

export interface ReconnectingSocketOptions {
  platform: Platform;
  openSocket: OpenSocket;
  /** Returns a socket address with a new ticket. Throws TicketError. */
  getAddress: () => Promise<SocketAddress>;
  getHello: () => Promise<Hello>;
}

export interface ReconnectingSocketEvents {
  welcome: (welcome: Welcome) => void;
  message: (message: Exclude<ServerMessage, Welcome>) => void;
  /** Handles a binary packet. Throws WireError if it is invalid; the socket then reconnects. */
  packet: (packet: ArrayBuffer) => void;
  reconnecting: (attempt: number, message: string, cause: ReconnectCause) => void;
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

/**
 * WebSockets count as blocked if tickets arrive by HTTP but no message arrives by socket: after
 * this many failed sockets over at least MIN_BLOCKED_MS, or once a socket stays unopened until
 * MAX_BLOCKED_MS. A restarting server gives no tickets, which restarts the count.
 */
const MIN_BLOCKED_SOCKETS = 3;
const MIN_BLOCKED_MS = 3000;
const MAX_BLOCKED_MS = 7000;
const MIN_OPEN_MS = 2000;

const NO_RESPONSE_MESSAGE = /*i18n*/ "The server does not respond. Reconnecting…";
const MOVING_MESSAGE = /*i18n*/ "Your game is moving to another server. It continues in a moment.";
const DISCONNECTED_MESSAGE = /*i18n*/ "The connection was lost. Your game is paused. Reconnecting…";

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
  #openTimer: Cancel | null = null;
  /** Time of the first ticket since which no socket has received a message; null if none. */
  #ticketsSince: number | null = null;
  #failedSockets = 0;
  /** Host whose WebSockets are blocked, until a welcome or until HTTP fails too. */
  #blockedHost: string | null = null;
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
    if (this.#isClosed || this.#isOpen || this.#timer === null) return;
    if (this.#socket !== null && this.#blockedHost === null) return;
    this.#dropSocket();
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
    this.#timer = this.#options.platform.after(CONNECT_TIMEOUT_MS, () => this.#onConnectTimeout());
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
      this.#resetBlocked();
      if (error.help === "wait") this.reconnect(error.message);
      else
        this.#closeForGood({ message: error.message, help: error.help, ...titleOf(error.title) });
    }
  }

  #onConnectTimeout(): void {
    if (this.#socket === null) this.#resetBlocked();
    this.reconnect(i18n._(NO_RESPONSE_MESSAGE));
  }

  #openSocket(address: SocketAddress, hello: Hello, isStale: () => boolean): void {
    const now = this.#options.platform.now();
    this.#ticketsSince ??= now;
    const waitMs = Math.max(MIN_OPEN_MS, this.#ticketsSince + MAX_BLOCKED_MS - now);
    if (this.#blockedHost === null)
      this.#openTimer = this.#options.platform.after(waitMs, () => {
        // The socket stays, because a very slow network may still open it.
        this.#blockedHost = new URL(address.url).host;
        this.#reportReconnecting(i18n._(NO_RESPONSE_MESSAGE));
      });
    const socket = this.#options.openSocket(address, {
      opened: () => {
        if (isStale()) return;
        this.#isOpen = true;
        this.#openTimer?.();
        this.#openTimer = null;
        socket.send(JSON.stringify({ ...hello, at: this.#options.platform.now() }));
      },
      text: (text) => {
        if (!isStale()) this.#reconnectOnWireError(() => this.#onMessage(readMessage(text)));
      },
      binary: (packet) => {
        if (!isStale()) this.#reconnectOnWireError(() => this.#events.packet(packet));
      },
      closed: (code, reason) => {
        if (!isStale()) this.#onClosed(code, reason, address);
      },
    });
    this.#socket = socket;
  }

  #onMessage(message: ServerMessage): void {
    if (message.type === "notice" && !this.#isWelcomed) {
      this.#onMoving();
      return;
    }
    if (message.type !== "welcome") {
      this.#events.message(message);
      return;
    }
    this.#isWelcomed = true;
    this.#attempt = 0;
    this.#serverMessage = null;
    this.#resetBlocked();
    this.#timer?.();
    this.#timer = null;
    this.#events.welcome(message);
  }

  /** The server waits for the one that had the game (rule O26), and then answers on this connection. */
  #onMoving(): void {
    this.#timer?.();
    this.#timer = this.#options.platform.after(CONNECT_TIMEOUT_MS, () => this.#onConnectTimeout());
    this.#events.reconnecting(Math.max(1, this.#attempt), i18n._(MOVING_MESSAGE), "moving");
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

  #onClosed(code: number, reason: string, address: SocketAddress): void {
    const closeCode = Object.hasOwn(CLOSE_CODES, code)
      ? CLOSE_CODES[code as keyof typeof CLOSE_CODES]
      : null;
    const wasWelcomed = this.#isWelcomed;
    this.#dropSocket();
    if (closeCode !== null) this.#resetBlocked();
    else if (!wasWelcomed) this.#countFailedSocket(address);
    if (closeCode === null)
      this.#scheduleReconnect(i18n._(wasWelcomed ? DISCONNECTED_MESSAGE : NO_RESPONSE_MESSAGE));
    else if (closeCode.retry)
      this.#scheduleReconnect(
        (this.#serverMessage = translateServerText(reason || closeCode.words, closeCode.words)),
      );
    else
      this.#closeForGood({
        message: translateServerText(reason || closeCode.words, closeCode.words),
        ...titleOf(closeCode.title),
        ...helpFor(closeCode.name),
      });
  }

  #countFailedSocket(address: SocketAddress): void {
    this.#failedSockets++;
    const elapsedMs = this.#options.platform.now() - (this.#ticketsSince ?? Infinity);
    if (this.#failedSockets >= MIN_BLOCKED_SOCKETS && elapsedMs >= MIN_BLOCKED_MS)
      this.#blockedHost = new URL(address.url).host;
  }

  #resetBlocked(): void {
    this.#ticketsSince = null;
    this.#failedSockets = 0;
    this.#blockedHost = null;
  }

  #reportReconnecting(message: string): void {
    const attempt = Math.max(1, this.#attempt);
    if (this.#blockedHost !== null)
      this.#events.reconnecting(attempt, blockedMessage(this.#blockedHost), "websocket-blocked");
    else this.#events.reconnecting(attempt, this.#serverMessage ?? message, "connection-lost");
  }

  #scheduleReconnect(message: string): void {
    this.#attempt++;
    if (this.#attempt > MAX_ATTEMPTS) {
      if (this.#blockedHost !== null)
        this.#closeForGood({
          message: blockedMessage(this.#blockedHost),
          help: "reopen",
          title: i18n._("WebSockets are blocked"),
          actionLabel: i18n._("Try again"),
        });
      else
        this.#closeForGood({
          message: i18n._("Could not reconnect: the server has not responded for several minutes."),
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
    this.#reportReconnecting(message);
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
    this.#openTimer?.();
    this.#openTimer = null;
    this.#socket?.close(code);
    this.#socket = null;
    this.#isOpen = false;
    this.#isWelcomed = false;
  }
}

function blockedMessage(host: string): string {
  return i18n._(
    "The server can be reached, but no WebSocket connection to it works. Something between this " +
      "computer and the server blocks WebSockets, such as a proxy, a firewall or an antivirus web " +
      "filter. Use another network, turn off the proxy or the web filter, or ask the network " +
      "administrator to allow WebSocket connections to {host}.",
    { host },
  );
}

const titleOf = (title: string): Pick<CloseReason, "title"> =>
  title === "" ? {} : { title: i18n._(title) };

function helpFor(
  name: (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES]["name"],
): Pick<CloseReason, "help" | "actionLabel"> {
  switch (name) {
    case "CONSENT_REQUIRED":
      return { help: "consent" };
    case "UNKNOWN_GAME":
      return { help: "none" };
    case "TAKEN_OVER":
      return { help: "reopen", actionLabel: i18n._("Play here") };
    case "SERVER_FULL":
    case "RECORDING_UNAVAILABLE":
      return { help: "reopen", actionLabel: i18n._("Try again") };
    default:
      return { help: "reopen" };
  }
}
