import type { Ticks } from "@/wire/messages";

import type { Latched, Step } from "./messages";

/** The server takes no more steps in one message; SPEC's `ticks`. */
const MOST_STEPS = 1800;

interface Entry {
  action: number;
  at: number;
  digest: number;
  inputs: readonly Latched[];
}

/** The steps that the server has not answered for yet, oldest first. */
export class Ledger {
  #entries: Entry[] = [];
  /** Index of the first entry's step. */
  #first = 0;
  /** Steps that were sent. */
  #sent = 0;

  /** Steps taken. */
  get steps(): number {
    return this.#first + this.#entries.length;
  }

  /** When the oldest step was taken that the server has not answered for; null: it answered for all. */
  get oldest(): number | null {
    return this.#entries[0]?.at ?? null;
  }

  add({ action, at, digest, inputs }: Pick<Step, keyof Entry>): void {
    this.#entries.push({ action, at, digest, inputs });
  }

  /** The message with the steps that were not sent yet; null: all were. */
  take(): Ticks | null {
    const first = this.#sent;
    const entries = this.#entries.slice(first - this.#first).slice(0, MOST_STEPS);
    if (entries.length === 0) return null;
    this.#sent = first + entries.length;
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
    this.#forget(steps);
    return last.digest === digest;
  }

  /** A new socket: the server has this many steps, so the next message begins there. False: they are gone here. */
  rewind(steps: number): boolean {
    if (steps < this.#first || steps > this.steps) return false;
    this.#forget(steps);
    this.#sent = steps;
    return true;
  }

  #forget(steps: number): void {
    this.#entries.splice(0, steps - this.#first);
    this.#first = steps;
  }
}
