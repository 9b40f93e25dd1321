import { CLOSE_CODES } from "@/wire/close-codes";
import {
  readMessage,
  WireError,
  type ClientMessage,
  type Hello,
  type ServerMessage,
  type Welcome,
} from "@/wire/messages";

import type { Closing } from "../driver";
import type { Cancel, Platform } from "../platform";
import type { OpenSocket, Socket } from "./socket";

/** No ticket: in words, and whether trying again by itself makes sense. */
export class TicketRefused extends Error {
  override name = "TicketRefused";
  constructor(
    message: string,
    readonly help: Closing["help"] | "wait",
  ) {
    super(message);
  }
}

export interface LinkOptions {
  platform: Platform;
  openSocket: OpenSocket;
  /** A fresh ticket's socket address. Throws TicketRefused. */
  getAddress: () => Promise<string>;
  getHello: () => Promise<Hello>;
}

export interface LinkEvents {
  welcome: (welcome: Welcome) => void;
  message: (message: Exclude<ServerMessage, Welcome>) => void;
  /** Throws WireError when the packet is damaged; the link then starts over. */
  packet: (packet: ArrayBuffer) => void;
  broken: (attempt: number, words: string) => void;
  closed: (closing: Closing) => void;
}

/** Doubling from quick to patient; a lost game waits on the server for some minutes at most. */
const BACK_OFF_MS = [250, 500, 1000, 2000, 4000, 8000] as const;
/** Share of the wait that is drawn, so that players of one fallen server do not return as one. */
const JITTER = 0.3;
const MOST_ATTEMPTS = 40;
/** Ticket, socket and welcome must not take longer; a game may have to be loaded meanwhile. */
const PATIENCE_MS = 20_000;

const NO_ANSWER = "The server does not answer. Trying again…";
const DROPPED = "The connection broke. Your game waits; trying again…";

/**
 * Keeps one play socket open: ticket, hello, welcome, and all of it again with back-off when it breaks.
 *
 * States: idle -> (connecting -> open -> broken)* -> closed. After `closed` nothing is called any more.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  #socket: Socket | null = null;
  #open = false;
  #welcomed = false;
  #closed = false;
  #attempt = 0;
  /** Counts the tries, so that what belongs to an earlier one is told apart. */
  #round = 0;
  #wait: Cancel | null = null;
  /** What the server said when it went: holds until it is back, for that it does not answer meanwhile is no news. */
  #said: string | null = null;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#options = options;
    this.#events = events;
  }

  open(): void {
    void this.#connect();
  }

  /** Send a message; dropped silently while there is no welcome: it would be out of order. */
  send(message: ClientMessage): void {
    if (this.#welcomed) this.#socket?.send(JSON.stringify(message));
  }

  /** Try now rather than later. */
  hurry(): void {
    if (this.#closed || this.#open || this.#wait === null || this.#socket !== null) return;
    this.#wait();
    this.#wait = null;
    void this.#connect();
  }

  /** The other side is silent, or sends what cannot be read: start over. */
  restart(words: string): void {
    if (this.#closed) return;
    this.#drop();
    this.#retry(words);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drop(1000);
  }

  async #connect(): Promise<void> {
    const round = ++this.#round;
    const stale = (): boolean => this.#closed || round !== this.#round;
    this.#wait = this.#options.platform.after(PATIENCE_MS, () => this.restart(NO_ANSWER));
    try {
      const [address, hello] = await Promise.all([
        this.#options.getAddress(),
        this.#options.getHello(),
      ]);
      if (stale()) return;
      this.#openSocket(address, hello, stale);
    } catch (error) {
      if (stale()) return;
      if (!(error instanceof TicketRefused)) throw error;
      if (error.help === "wait") this.restart(error.message);
      else this.#finish({ words: error.message, help: error.help });
    }
  }

  #openSocket(address: string, hello: Hello, stale: () => boolean): void {
    const socket = this.#options.openSocket(address, {
      opened: () => {
        if (stale()) return;
        this.#open = true;
        socket.send(JSON.stringify({ ...hello, at: this.#options.platform.now() }));
      },
      text: (text) => {
        if (!stale()) this.#reading(() => this.#take(readMessage(text)));
      },
      binary: (packet) => {
        if (!stale()) this.#reading(() => this.#events.packet(packet));
      },
      closed: (code, reason) => {
        if (!stale()) this.#lost(code, reason);
      },
    });
    this.#socket = socket;
  }

  #take(message: ServerMessage): void {
    if (message.type !== "welcome") {
      this.#events.message(message);
      return;
    }
    this.#welcomed = true;
    this.#attempt = 0;
    this.#said = null;
    this.#wait?.();
    this.#wait = null;
    this.#events.welcome(message);
  }

  /** What cannot be read is no reason to lose the game: a new socket begins with a key frame. */
  #reading(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.restart(error.message);
    }
  }

  #lost(code: number, reason: string): void {
    const known = Object.hasOwn(CLOSE_CODES, code)
      ? CLOSE_CODES[code as keyof typeof CLOSE_CODES]
      : null;
    const was = this.#welcomed;
    this.#drop();
    if (known === null) this.#retry(was ? DROPPED : NO_ANSWER);
    else if (known.retry) this.#retry((this.#said = reason || known.words));
    else this.#finish({ words: reason || known.words, ...helpFor(known.name) });
  }

  #retry(words: string): void {
    this.#attempt++;
    if (this.#attempt > MOST_ATTEMPTS) {
      this.#finish({ words: "The server did not answer for several minutes.", help: "again" });
      return;
    }
    const base = BACK_OFF_MS[Math.min(this.#attempt - 1, BACK_OFF_MS.length - 1)] ?? 8000;
    const wait = base * (1 - JITTER * this.#options.platform.random());
    this.#wait = this.#options.platform.after(wait, () => {
      this.#wait = null;
      void this.#connect();
    });
    this.#events.broken(this.#attempt, this.#said ?? words);
  }

  #finish(closing: Closing): void {
    this.#closed = true;
    this.#drop();
    this.#events.closed(closing);
  }

  /** Forget this try; whatever its socket still says is stale. */
  #drop(code?: number): void {
    this.#round++;
    this.#wait?.();
    this.#wait = null;
    this.#socket?.close(code);
    this.#socket = null;
    this.#open = false;
    this.#welcomed = false;
  }
}

function helpFor(
  name: (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES]["name"],
): Omit<Closing, "words"> {
  switch (name) {
    case "UNKNOWN_GAME":
      return { help: "none" };
    case "TAKEN_OVER":
      return { help: "again", title: "In another tab", again: "Play here" };
    case "FULL":
      return { help: "again", title: "Full house", again: "Try again" };
    case "NO_ROOM":
      return { help: "again", title: "Not just now", again: "Try again" };
    default:
      return { help: "again" };
  }
}
