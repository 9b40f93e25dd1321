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
const MOST_WAITING = 64;

/**
 * From keys held to the action of a tick, so that no press is lost.
 *
 * The same rule as the server's play/controls.py, held to it by tests/lockstep/latch.json. `Source` is
 * whatever goes with a change: the newest one that an action follows from comes out with it.
 */
export class Latch<Source> {
  readonly #bindings: readonly Binding[];
  readonly #noop: number | null;
  #held: string[] = [];
  #waiting: Change<Source>[] = [];
  #source: Source | null = null;

  constructor(bindings: readonly Binding[], noop: number | null) {
    this.#bindings = bindings;
    this.#noop = noop;
  }

  /** A control went down or up. One that is down already (or up) changes nothing. */
  change(control: string, down: boolean, source: Source): void {
    if (down === this.#willBeHeld(control)) return;
    this.#waiting.push({ control, down, source });
    if (this.#waiting.length > MOST_WAITING) this.#applyNext();
  }

  /** Let go of everything. */
  release(source: Source): void {
    this.#waiting = [];
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
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
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
      const places = binding.press.map((control) => this.#held.indexOf(control));
      if (places.includes(-1)) continue;
      const last = Math.max(...places);
      if (places.length > size || (places.length === size && last > newest)) {
        size = places.length;
        newest = last;
        action = binding.action;
      }
    }
    return action;
  }

  #applyNext(): void {
    const change = this.#waiting.shift();
    if (change === undefined) return;
    this.#source = change.source;
    if (change.down) this.#held.push(change.control);
    else this.#held = this.#held.filter((control) => control !== change.control);
  }

  #willBeHeld(control: string): boolean {
    for (let index = this.#waiting.length - 1; index >= 0; index--) {
      const change = this.#waiting[index];
      if (change?.control === control) return change.down;
    }
    return this.#held.includes(control);
  }
}
