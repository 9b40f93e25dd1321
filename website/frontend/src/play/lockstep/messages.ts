import type { Cartridge, EmulatorSetup } from "@/lockstep/emulator";
import type { Device } from "@/wire/messages";

import type { Binding } from "./input-latch";

/** An input and the observation that was on the screen at that time. */
export interface InputChange {
  control: string;
  down: boolean;
  /** performance.now() of the page at the event. */
  at: number;
  device: Device;
  code: string;
  frame: number | null;
}

export interface LatchedInput extends InputChange {
  /** Index of the first step that the input can affect. */
  step: number;
}

/** Everything that the worker needs to run a game, except the seed. */
export interface LockstepGameSetup {
  module: WebAssembly.Module;
  cartridge: Cartridge;
  setup: Omit<EmulatorSetup, "seed">;
  hz: number;
  bindings: readonly Binding[];
  noop: number;
  /** performance.timeOrigin of the page. All times below are on the page's clock. */
  origin: number;
}

/** Messages from the page to the worker. */
export type ToWorker =
  | ({ kind: "load" } & LockstepGameSetup)
  /** Starts an episode. */
  | { kind: "begin"; seed: number }
  | { kind: "input"; change: InputChange }
  /** Continues after `stop`. */
  | { kind: "resume" }
  /** Sets whether steps include sound. */
  | { kind: "set-audio"; on: boolean }
  /** Stops the game. The worker answers with `stopped` after all steps. */
  | { kind: "stop" }
  /** A display frame began at `at`, when `newest` was the newest received observation. */
  | { kind: "display-frame"; at: number; newest: number }
  /** Returns the buffer of a picture for reuse. */
  | { kind: "recycle-buffer"; buffer: ArrayBuffer };

/** Picture and lives after a reset or step. `pixels` has one RGBA word per pixel. */
export interface Observation {
  frame: number;
  width: number;
  height: number;
  pixels: ArrayBuffer;
  lives: number;
}

export interface Step extends Observation {
  action: number;
  /** Time of the step. */
  at: number;
  digest: number;
  inputs: readonly LatchedInput[];
  reward: number;
  terminated: boolean;
  truncated: boolean;
  /** Unsigned samples; null if sound is off. */
  sound: Uint8Array<ArrayBuffer> | null;
}

/** Messages from the worker to the page. */
export type FromWorker =
  | { kind: "loaded" }
  | ({ kind: "began" } & Observation)
  | ({ kind: "step" } & Step)
  | { kind: "stopped" }
  /** The game stopped because no step was possible for `ms`. */
  | { kind: "stalled"; ms: number }
  | { kind: "failed"; words: string };
