import type { Ticks } from "@/wire/messages";

import type { LatchedInput, Step } from "./messages";

/** The server takes no more steps in one message; SPEC's `ticks`. */
const MAX_STEPS_PER_MESSAGE = 1800;

interface Entry {
  action: number;
  at: number;
  digest: number;
  inputs: readonly LatchedInput[];
}

/** The steps that the server has not answered for yet, oldest first. */
export class UnackedSteps {
  #entries: Entry[] = [];
  /** Index of the first entry's step. */
  #first = 0;
  /** Steps that were sent. */
  #sentCount = 0;

  /** Steps taken. */
  get stepCount(): number {
    return this.#first + this.#entries.length;
  }

  /** When the oldest step was taken that the server has not answered for; null: it answered for all. */
  get oldestAt(): number | null {
    return this.#entries[0]?.at ?? null;
  }

  add({ action, at, digest, inputs }: Pick<Step, keyof Entry>): void {
    this.#entries.push({ action, at, digest, inputs });
  }

  /** The message with the steps that were not sent yet; null: all were. */
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

  /** The server has followed so far. False: it came to something else. */
  acknowledge(steps: number, digest: number): boolean {
    const last = this.#entries[steps - this.#first - 1];
    if (last === undefined) return steps <= this.#first;
    this.#discard(steps);
    return last.digest === digest;
  }

  /** A new socket: the server has this many steps, so the next message begins there. False: they are gone here. */
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
