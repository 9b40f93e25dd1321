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

interface Holder {
  control: string;
  device: Device;
  code: string;
  at: number;
}

/**
 * Which controls are held, over all devices. Two keys of one control make one press:
 * down with the first, up with the last.
 */
export class Controls implements InputSink {
  readonly #emit: (change: ControlChange) => void;
  #holders = new Map<string, Holder>();

  constructor(emit: (change: ControlChange) => void) {
    this.#emit = emit;
  }

  press = (control: string, device: Device, code: string, at: number): void => {
    const key = `${device}:${code}`;
    if (this.#holders.has(key)) return;
    const first = !this.#isHeld(control);
    this.#holders.set(key, { control, device, code, at });
    if (first) this.#emit({ control, down: true, at, device, code });
  };

  release = (device: Device, code: string, at: number): void => {
    const key = `${device}:${code}`;
    const holder = this.#holders.get(key);
    if (holder === undefined) return;
    this.#holders.delete(key);
    if (this.#isHeld(holder.control)) return;
    this.#emit({ control: holder.control, down: false, at, device, code });
  };

  releaseAll = (at: number): void => {
    for (const { device, code } of [...this.#holders.values()]) this.release(device, code, at);
  };

  /** The press that holds each held control, oldest first. */
  held(): ControlChange[] {
    const first = new Map<string, ControlChange>();
    for (const holder of this.#holders.values()) {
      if (!first.has(holder.control)) first.set(holder.control, { ...holder, down: true });
    }
    return [...first.values()];
  }

  #isHeld(control: string): boolean {
    for (const holder of this.#holders.values()) if (holder.control === control) return true;
    return false;
  }
}
