import type { Cartridge, Setup } from "@/lockstep/emulator";
import type { Device } from "@/wire/messages";

import type { Binding } from "./latch";

/** An input and the observation that was on the screen when it happened. */
export interface Change {
  control: string;
  down: boolean;
  /** The page's performance.now() at the event. */
  at: number;
  device: Device;
  code: string;
  frame: number | null;
}

export interface Latched extends Change {
  /** The first step that it could act in. */
  step: number;
}

/** A game as the worker has to know it, beside the seed. */
export interface LocalGameSetup {
  module: WebAssembly.Module;
  cartridge: Cartridge;
  setup: Omit<Setup, "seed">;
  hz: number;
  bindings: readonly Binding[];
  noop: number;
  /** The page's performance.timeOrigin: every time below is on its clock. */
  origin: number;
}

/** Page to worker. */
export type ToWorker =
  | ({ kind: "load" } & LocalGameSetup)
  /** Begin an episode and play. */
  | { kind: "begin"; seed: number }
  | { kind: "input"; change: Change }
  /** Go on after `stop`. */
  | { kind: "go" }
  /** Whether steps come with their sound. */
  | { kind: "hear"; on: boolean }
  /** No more steps; answered by `stopped`, after every step that was taken. */
  | { kind: "stop" }
  /** The display began a frame at `at`, when observation `newest` had arrived. */
  | { kind: "displayed"; at: number; newest: number }
  /** A picture's memory, to be used again. */
  | { kind: "spent"; buffer: ArrayBuffer };

/** What the player sees after reset or a step: one RGBA word a pixel. */
export interface Seen {
  frame: number;
  width: number;
  height: number;
  pixels: ArrayBuffer;
  lives: number;
}

export interface Step extends Seen {
  action: number;
  /** When the step was taken. */
  at: number;
  digest: number;
  inputs: readonly Latched[];
  reward: number;
  terminated: boolean;
  truncated: boolean;
  /** Unsigned samples; null: nobody listens. */
  sound: Uint8Array<ArrayBuffer> | null;
}

/** Worker to page. */
export type FromWorker =
  | { kind: "loaded" }
  | ({ kind: "began" } & Seen)
  | ({ kind: "step" } & Step)
  | { kind: "stopped" }
  /** It stood still for so long that it stopped by itself. */
  | { kind: "stalled"; ms: number }
  | { kind: "failed"; words: string };
