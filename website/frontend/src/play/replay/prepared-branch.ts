import type { Hello } from "@/wire/messages";

import type { Cancel, Platform } from "../platform";
import type { OpenSocket, Socket, SocketAddress } from "../remote/socket";

interface Options {
  platform: Platform;
  openSocket: OpenSocket;
  /** Returns a socket address with a ticket that prepares the branch. Rejects if the server refuses. */
  getAddress: (frame: number) => Promise<SocketAddress>;
  getHello: () => Hello;
}

/** Frames before this one are repeated in a moment: ten seconds of play. */
const MIN_FRAME = 600;
/** Time for which a replay rests on a frame before its branch is prepared. */
const REST_MS = 300;
/** Time between two preparations, because each costs a second of the server's CPU and a ticket. */
const INTERVAL_MS = 5000;

/**
 * Lets the server repeat the steps up to the frame on which a replay rests, so that a game that
 * begins there begins at once. It holds the game by a play socket of its own (rule O40).
 */
export class PreparedBranch {
  readonly #options: Options;
  #frame: number | null = null;
  #timer: Cancel | null = null;
  #socket: Socket | null = null;
  #preparedAt = -Infinity;
  #isKept = false;
  #isRefused = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Prepares a branch at the frame on which the replay rests; null: it plays. */
  rest(frame: number | null): void {
    if (frame === this.#frame || this.#isKept) return;
    this.#drop();
    this.#frame = frame;
    if (frame === null || frame < MIN_FRAME || this.#isRefused) return;
    const { platform } = this.#options;
    const waitMs = Math.max(REST_MS, this.#preparedAt + INTERVAL_MS - platform.now());
    this.#timer = platform.after(waitMs, () => void this.#prepare(frame));
  }

  /** Leaves the game to the page that plays it, whose socket replaces this one. */
  keep(): void {
    this.#isKept = true;
    this.#timer?.();
  }

  /** Lets the game go, unless it was kept. */
  close(): void {
    this.rest(null);
  }

  async #prepare(frame: number): Promise<void> {
    const { platform, openSocket, getAddress, getHello } = this.#options;
    this.#preparedAt = platform.now();
    let address: SocketAddress;
    try {
      address = await getAddress(frame);
    } catch {
      // The game begins later then, and its page says what is wrong, if anything.
      this.#isRefused = true;
      return;
    }
    if (this.#frame !== frame || this.#isKept) return;
    const ignore = () => undefined;
    const socket = openSocket(address, {
      opened: () => socket.send(JSON.stringify(getHello())),
      text: ignore,
      binary: ignore,
      closed: ignore,
    });
    this.#socket = socket;
  }

  #drop(): void {
    this.#timer?.();
    this.#timer = null;
    this.#socket?.close(1000);
    this.#socket = null;
  }
}
