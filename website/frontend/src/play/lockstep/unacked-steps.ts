import type { Ticks } from "@/wire/messages";

import type { LatchedInput, Step } from "./messages";

/** Limit of steps per `ticks` message in wire/SPEC.md. */
const MAX_STEPS_PER_MESSAGE = 1800;

interface Entry {
  action: number;
  at: number;
  digest: number;
  inputs: readonly LatchedInput[];
}

/** Steps that the server has not acknowledged, oldest first. */
export class UnackedSteps {
  #entries: Entry[] = [];
  /** Index of the first unacknowledged step. */
  #first = 0;
  /** Number of steps that were sent. */
  #sentCount = 0;

  /** Number of steps taken in the episode. */
  get stepCount(): number {
    return this.#first + this.#entries.length;
  }

  /** Time of the oldest unacknowledged step; null if there is none. */
  get oldestAt(): number | null {
    return this.#entries[0]?.at ?? null;
  }

  add({ action, at, digest, inputs }: Pick<Step, keyof Entry>): void {
    this.#entries.push({ action, at, digest, inputs });
  }

  /** Returns a message with the unsent steps, or null if all were sent. */
  nextMessage(): Ticks | null {
    const first = this.#sentCount;
    const entries = this.#entries.slice(first - this.#first).slice(0, MAX_STEPS_PER_MESSAGE);
    if (entries.length === 0) return null;
    this.#sentCount = first + entries.length;
    return {
      type: "ticks",
      first,
      actions: entries.map(({ action }) => action),
      at: entries.map(({ at }) => at),
      digests: entries.map(({ digest }) => digest),
      inputs: entries.flatMap(({ inputs }) => inputs),
    };
  }

  /** Removes the acknowledged steps. Returns false if the server's digest differs. */
  acknowledge(steps: number, digest: number): boolean {
    const last = this.#entries[steps - this.#first - 1];
    if (last === undefined) return steps <= this.#first;
    this.#discard(steps);
    return last.digest === digest;
  }

  /**
   * Continues from the server's step count after a reconnect. Returns false if those steps are no
   * longer available.
   */
  rewindTo(steps: number): boolean {
    if (steps < this.#first || steps > this.stepCount) return false;
    this.#discard(steps);
    this.#sentCount = steps;
    return true;
  }

  #discard(steps: number): void {
    this.#entries.splice(0, steps - this.#first);
    this.#first = steps;
  }
}
