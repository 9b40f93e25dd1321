/** These controls held together mean this action; the manifest's `actions`. */
export interface Binding {
  press: readonly string[];
  action: number;
}

interface Change<Source> {
  control: string;
  down: boolean;
  source: Source;
}

/** Changes that may wait for a tick of their own; older ones are then taken together. */
const MAX_QUEUED_CHANGES = 64;

/**
 * From keys held to the action of a tick, so that no press is lost.
 *
 * The same rule as the server's play/controls.py, held to it by tests/lockstep/latch.json. `Source` is
 * whatever goes with a change: the newest one that an action follows from comes out with it.
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

  /** A control went down or up. One that is down already (or up) changes nothing. */
  change(control: string, down: boolean, source: Source): void {
    if (down === this.#willBeHeld(control)) return;
    this.#queue.push({ control, down, source });
    if (this.#queue.length > MAX_QUEUED_CHANGES) this.#applyNext();
  }

  /** Let go of everything. */
  release(source: Source): void {
    this.#queue = [];
    this.#held = [];
    this.#source = source;
  }

  /**
   * The action for this tick, and the newest input that it follows from.
   *
   * Takes as many waiting changes as can act together: a press whose release is waiting too acts now and
   * is released at the next tick; a control that was let go and pressed again is seen let go for a tick.
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

  /** The largest binding that is held wholly; of equals, the one pressed last. */
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
