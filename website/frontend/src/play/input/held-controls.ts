import type { Device } from "@/wire/messages";

/** A control was pressed or released on one device. */
export interface ControlChange {
  control: string;
  down: boolean;
  /** event.timeStamp: milliseconds on the clock of performance.now(). */
  at: number;
  device: Device;
  /** KeyboardEvent.code, or an equivalent id of a button. */
  code: string;
}

/** Receives presses and releases from keyboard, touch, mouse and gamepad. */
export interface InputSink {
  press: (control: string, device: Device, code: string, at: number) => void;
  release: (device: Device, code: string, at: number) => void;
  releaseAll: (at: number) => void;
}

interface HeldInput {
  control: string;
  device: Device;
  code: string;
  at: number;
}

/**
 * Tracks the held controls over all devices. Several keys of one control are one press: it starts
 * with the first key and ends with the last.
 */
export class HeldControls implements InputSink {
  readonly #emit: (change: ControlChange) => void;
  #inputs = new Map<string, HeldInput>();

  constructor(emit: (change: ControlChange) => void) {
    this.#emit = emit;
  }

  press = (control: string, device: Device, code: string, at: number): void => {
    const key = `${device}:${code}`;
    if (this.#inputs.has(key)) return;
    const first = !this.#isHeld(control);
    this.#inputs.set(key, { control, device, code, at });
    if (first) this.#emit({ control, down: true, at, device, code });
  };

  release = (device: Device, code: string, at: number): void => {
    const key = `${device}:${code}`;
    const input = this.#inputs.get(key);
    if (input === undefined) return;
    this.#inputs.delete(key);
    if (this.#isHeld(input.control)) return;
    this.#emit({ control: input.control, down: false, at, device, code });
  };

  releaseAll = (at: number): void => {
    for (const { device, code } of [...this.#inputs.values()]) this.release(device, code, at);
  };

  /** Returns the press of each held control, oldest first. */
  held(): ControlChange[] {
    const first = new Map<string, ControlChange>();
    for (const input of this.#inputs.values()) {
      if (!first.has(input.control)) first.set(input.control, { ...input, down: true });
    }
    return [...first.values()];
  }

  #isHeld(control: string): boolean {
    for (const input of this.#inputs.values()) if (input.control === control) return true;
    return false;
  }
}
