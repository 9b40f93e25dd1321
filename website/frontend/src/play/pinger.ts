import type { Cancel, Platform } from "./platform";

interface SentPing {
  id: number;
  at: number;
}

type SendPing = (id: number, at: number, previous: readonly [number, number] | null) => void;

/** An unanswered ping this old means that the connection is dead though the socket does not say so. */
export const PONG_TIMEOUT_MS = 6000;
/** Round trips over which the shortest is taken as the delay: queues only ever add. */
const ROUND_TRIP_WINDOW = 16;

/**
 * Small pings over the play socket. Each carries back when the last pong arrived, so that the server
 * gets the four times that a clock sample needs; the page itself learns the round trip.
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

  /** Shortest of the last round trips in milliseconds; null before the first. */
  get roundTripMs(): number | null {
    return this.#roundTripsMs.length === 0 ? null : Math.min(...this.#roundTripsMs);
  }

  /** Ping now and then every `periodMs`. */
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

  /** The pong of this id arrived at this moment; the server had held it for so long. */
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
    // A page that slept finds an old ping too; only one that was awake in between may conclude.
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
