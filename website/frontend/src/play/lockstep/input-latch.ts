/** The action for a set of controls that are held together; the manifest's `actions`. */
export interface Binding {
  press: readonly string[];
  action: number;
}

interface Change<Source> {
  control: string;
  down: boolean;
  source: Source;
}

/** Limit of queued changes. Beyond it, older changes are applied together. */
const MAX_QUEUED_CHANGES = 64;

/**
 * Turns held controls into one action per tick without losing a press.
 *
 * Same rule as the server's input latch; tests/lockstep/latch.json has the cases for both. `Source`
 * is arbitrary data of a change. `sample` returns the source of the newest change that was applied.
 */
export class InputLatch<Source> {
  readonly #bindings: readonly Binding[];
  readonly #noop: number | null;
  #held: string[] = [];
  #queue: Change<Source>[] = [];
  #source: Source | null = null;

  constructor(bindings: readonly Binding[], noop: number | null) {
    this.#bindings = bindings;
    this.#noop = noop;
  }

  /** Queues a press or release. A repeated press or release is ignored. */
  change(control: string, down: boolean, source: Source): void {
    if (down === this.#willBeHeld(control)) return;
    this.#queue.push({ control, down, source });
    if (this.#queue.length > MAX_QUEUED_CHANGES) this.#applyNext();
  }

  /** Releases all controls. */
  release(source: Source): void {
    this.#queue = [];
    this.#held = [];
    this.#source = source;
  }

  /**
   * Returns the action for this tick and the source of the newest change that led to it.
   *
   * Applies as many queued changes as can act in one tick. A press that is already released acts
   * for one tick and is released at the next. A control that was released and pressed again is
   * released for one tick.
   */
  sample(): { action: number | null; source: Source | null } {
    const pressed = new Set<string>();
    const released = new Set<string>();
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if ((next.down ? released : pressed).has(next.control)) break;
      (next.down ? pressed : released).add(next.control);
      this.#applyNext();
    }
    return { action: this.#resolve(), source: this.#source };
  }

  /**
   * Returns the action of the largest binding whose controls are all held. Of equal ones, the
   * binding with the newest press wins.
   */
  #resolve(): number | null {
    let size = 0;
    let newest = -1;
    let action = this.#noop;
    for (const binding of this.#bindings) {
      const positions = binding.press.map((control) => this.#held.indexOf(control));
      if (positions.includes(-1)) continue;
      const last = Math.max(...positions);
      if (positions.length > size || (positions.length === size && last > newest)) {
        size = positions.length;
        newest = last;
        action = binding.action;
      }
    }
    return action;
  }

  #applyNext(): void {
    const change = this.#queue.shift();
    if (change === undefined) return;
    this.#source = change.source;
    if (change.down) this.#held.push(change.control);
    else this.#held = this.#held.filter((control) => control !== change.control);
  }

  #willBeHeld(control: string): boolean {
    for (let index = this.#queue.length - 1; index >= 0; index--) {
      const change = this.#queue[index];
      if (change?.control === control) return change.down;
    }
    return this.#held.includes(control);
  }
}
