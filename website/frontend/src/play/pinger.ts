import type { Cancel, Platform } from "./platform";

interface SentPing {
  id: number;
  at: number;
}

type SendPing = (id: number, at: number, previous: readonly [number, number] | null) => void;

/** A connection with an unanswered ping of this age is dead, even if the socket is still open. */
export const PONG_TIMEOUT_MS = 6000;
/** Number of recent round trips whose minimum is the latency. Queues only add to a round trip. */
const ROUND_TRIP_WINDOW = 16;

/**
 * Sends pings over the play socket. Each ping carries the arrival time of the last pong, so that
 * the server has the four timestamps of a clock sample. The page uses the round trip as its
 * latency.
 */
export class Pinger {
  readonly #platform: Platform;
  readonly #send: SendPing;
  readonly #onTimeout: () => void;
  #unanswered: SentPing[] = [];
  #previous: readonly [number, number] | null = null;
  #roundTripsMs: number[] = [];
  #nextId = 0;
  #timer: Cancel | null = null;

  constructor(platform: Platform, send: SendPing, onTimeout: () => void) {
    this.#platform = platform;
    this.#send = send;
    this.#onTimeout = onTimeout;
  }

  /** Minimum of the last round trips in milliseconds; null before the first pong. */
  get roundTripMs(): number | null {
    return this.#roundTripsMs.length === 0 ? null : Math.min(...this.#roundTripsMs);
  }

  /** Sends a ping now and then every `periodMs`. */
  start(periodMs: number): void {
    this.stop();
    this.#sendPing(periodMs);
  }

  stop(): void {
    this.#timer?.();
    this.#timer = null;
    this.#unanswered = [];
    this.#previous = null;
    this.#roundTripsMs = [];
  }

  /**
   * Handles the pong of ping `id`, which arrived at `at`. The server held it for `serverDelayMs`.
   */
  onPong(id: number, at: number, serverDelayMs: number): void {
    const index = this.#unanswered.findIndex((sent) => sent.id === id);
    const sent = this.#unanswered[index];
    if (sent === undefined) return;
    this.#unanswered.splice(0, index + 1);
    this.#previous = [id, at];
    this.#roundTripsMs.push(Math.max(0, at - sent.at - serverDelayMs));
    if (this.#roundTripsMs.length > ROUND_TRIP_WINDOW) this.#roundTripsMs.shift();
  }

  #sendPing(periodMs: number): void {
    const at = this.#platform.now();
    const oldest = this.#unanswered[0];
    // After the page was suspended, one ping is old. Two unanswered pings mean that the page was
    // running in between, so the timeout is real.
    if (oldest !== undefined && this.#unanswered.length > 1 && at - oldest.at > PONG_TIMEOUT_MS) {
      this.#onTimeout();
      return;
    }
    const id = this.#nextId++;
    this.#unanswered.push({ id, at });
    this.#timer = this.#platform.after(periodMs, () => this.#sendPing(periodMs));
    this.#send(id, at, this.#previous);
  }
}
