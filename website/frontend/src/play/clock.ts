import type { Cancel, Platform } from "./platform";

interface Sent {
  id: number;
  at: number;
}

type SendPing = (id: number, at: number, previous: readonly [number, number] | null) => void;

/** An unanswered ping this old means that the connection is dead though the socket does not say so. */
export const SILENCE_MS = 6000;
/** Round trips over which the shortest is taken as the delay: queues only ever add. */
const WINDOW = 16;

/**
 * Small pings over the play socket. Each carries back when the last pong arrived, so that the server
 * gets the four times that a clock sample needs; the page itself learns the round trip.
 */
export class Pinger {
  readonly #platform: Platform;
  readonly #send: SendPing;
  readonly #onSilence: () => void;
  #waiting: Sent[] = [];
  #previous: readonly [number, number] | null = null;
  #trips: number[] = [];
  #nextId = 0;
  #timer: Cancel | null = null;

  constructor(platform: Platform, send: SendPing, onSilence: () => void) {
    this.#platform = platform;
    this.#send = send;
    this.#onSilence = onSilence;
  }

  /** Shortest of the last round trips in milliseconds; null before the first. */
  get roundTripMs(): number | null {
    return this.#trips.length === 0 ? null : Math.min(...this.#trips);
  }

  /** Ping now and then every `periodMs`. */
  start(periodMs: number): void {
    this.stop();
    this.#ping(periodMs);
  }

  stop(): void {
    this.#timer?.();
    this.#timer = null;
    this.#waiting = [];
    this.#previous = null;
    this.#trips = [];
  }

  /** The pong of this id arrived at this moment; the server had held it for so long. */
  answered(id: number, at: number, heldMs: number): void {
    const index = this.#waiting.findIndex((sent) => sent.id === id);
    const sent = this.#waiting[index];
    if (sent === undefined) return;
    this.#waiting.splice(0, index + 1);
    this.#previous = [id, at];
    this.#trips.push(Math.max(0, at - sent.at - heldMs));
    if (this.#trips.length > WINDOW) this.#trips.shift();
  }

  #ping(periodMs: number): void {
    const at = this.#platform.now();
    const oldest = this.#waiting[0];
    // A page that slept finds an old ping too; only one that was awake in between may conclude.
    if (oldest !== undefined && this.#waiting.length > 1 && at - oldest.at > SILENCE_MS) {
      this.#onSilence();
      return;
    }
    const id = this.#nextId++;
    this.#waiting.push({ id, at });
    this.#timer = this.#platform.after(periodMs, () => this.#ping(periodMs));
    this.#send(id, at, this.#previous);
  }
}
