import type { Device } from "@/wire/messages";

/** A control went down or up, on one device. */
export interface ControlChange {
  control: string;
  down: boolean;
  /** event.timeStamp, milliseconds on the clock of performance.now(). */
  at: number;
  device: Device;
  /** KeyboardEvent.code or the like. */
  code: string;
}

/** Where keyboard, touch and gamepad report to. */
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
 * Which controls are held, over all devices. Two keys of one control make one press:
 * down with the first, up with the last.
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

  /** The press that holds each held control, oldest first. */
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
