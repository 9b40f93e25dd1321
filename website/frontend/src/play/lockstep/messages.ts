import type { Cartridge, EmulatorSetup } from "@/lockstep/emulator";
import type { Device } from "@/wire/messages";

import type { Binding } from "./input-latch";

/** An input and the observation that was on the screen when it happened. */
export interface InputChange {
  control: string;
  down: boolean;
  /** The page's performance.now() at the event. */
  at: number;
  device: Device;
  code: string;
  frame: number | null;
}

export interface LatchedInput extends InputChange {
  /** The first step that it could act in. */
  step: number;
}

/** A game as the worker has to know it, beside the seed. */
export interface LockstepGameSetup {
  module: WebAssembly.Module;
  cartridge: Cartridge;
  setup: Omit<EmulatorSetup, "seed">;
  hz: number;
  bindings: readonly Binding[];
  noop: number;
  /** The page's performance.timeOrigin: every time below is on its clock. */
  origin: number;
}

/** Page to worker. */
export type ToWorker =
  | ({ kind: "load" } & LockstepGameSetup)
  /** Begin an episode and play. */
  | { kind: "begin"; seed: number }
  | { kind: "input"; change: InputChange }
  /** Go on after `stop`. */
  | { kind: "resume" }
  /** Whether steps come with their sound. */
  | { kind: "set-audio"; on: boolean }
  /** No more steps; answered by `stopped`, after every step that was taken. */
  | { kind: "stop" }
  /** The display began a frame at `at`, when observation `newest` had arrived. */
  | { kind: "display-frame"; at: number; newest: number }
  /** A picture's memory, to be used again. */
  | { kind: "recycle-buffer"; buffer: ArrayBuffer };

/** What the player sees after reset or a step: one RGBA word a pixel. */
export interface Observation {
  frame: number;
  width: number;
  height: number;
  pixels: ArrayBuffer;
  lives: number;
}

export interface Step extends Observation {
  action: number;
  /** When the step was taken. */
  at: number;
  digest: number;
  inputs: readonly LatchedInput[];
  reward: number;
  terminated: boolean;
  truncated: boolean;
  /** Unsigned samples; null: nobody listens. */
  sound: Uint8Array<ArrayBuffer> | null;
}

/** Worker to page. */
export type FromWorker =
  | { kind: "loaded" }
  | ({ kind: "began" } & Observation)
  | ({ kind: "step" } & Step)
  | { kind: "stopped" }
  /** It stood still for so long that it stopped by itself. */
  | { kind: "stalled"; ms: number }
  | { kind: "failed"; words: string };
