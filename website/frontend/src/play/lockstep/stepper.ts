import type { Emulator, EmulatorSetup } from "@/lockstep/emulator";

import type { Cancel } from "../platform";
import { InputLatch, type Binding } from "./input-latch";
import type { InputChange, FromWorker, LatchedInput, Observation } from "./messages";
import { Pacer } from "./pacer";

/**
 * A game that could not step for longer than this is paused, because nobody can play through it.
 */
const STALL_MS = 500;
/**
 * A page that is slower than real time by more than this share, and lags by more than MAX_LAG_MS,
 * cannot keep up. The server's own limit for slow motion is higher (SPEC, L6).
 */
const MAX_SLOWDOWN = 0.05;
const MAX_LAG_MS = 1000;
/** Number of deadlines kept, to know which step should have arrived by a display frame. */
const MAX_DEADLINES = 8;
/** Time that a picture needs from the worker to the page. */
const DELIVERY_MS = 1;

/** The part of an emulator that the stepper uses. */
export type Game = Pick<Emulator, "load" | "step" | "picture" | "size" | "digest" | "sound">;

/** Clock, timers and messages of the worker. Times are on the page's clock in milliseconds. */
export interface StepperHost {
  now: () => number;
  after: (ms: number, run: () => void) => Cancel;
  post: (message: FromWorker, transfer: Transferable[]) => void;
}

export interface StepperOptions {
  setup: Omit<EmulatorSetup, "seed">;
  hz: number;
  bindings: readonly Binding[];
  noop: number;
}

/**
 * Runs one game in real time. Each step uses the newest input and posts the picture and everything
 * that the server must know.
 */
export class Stepper {
  readonly #game: Game;
  readonly #options: StepperOptions;
  readonly #host: StepperHost;
  readonly #pacer: Pacer;
  #latch: InputLatch<LatchedInput>;
  #inputs: LatchedInput[] = [];
  #steps = 0;
  #isOver = true;
  #timer: Cancel | null = null;
  #spareBuffers: ArrayBuffer[] = [];
  #audioEnabled = false;
  #deadlines: { due: number; frame: number }[] = [];
  /** Time of the last step, and the lag behind real time since the last resume. */
  #lastStepAt = 0;
  #lagMs = 0;

  constructor(game: Game, options: StepperOptions, host: StepperHost) {
    this.#game = game;
    this.#options = options;
    this.#host = host;
    this.#pacer = new Pacer(options.hz);
    this.#latch = new InputLatch(options.bindings, options.noop);
  }

  begin(seed: number): void {
    this.#halt();
    const { lives } = this.#game.load({ ...this.#options.setup, seed });
    this.#latch = new InputLatch(this.#options.bindings, this.#options.noop);
    this.#inputs = [];
    this.#steps = 0;
    this.#isOver = false;
    const observation = this.#observe(lives);
    this.#host.post({ kind: "began", ...observation }, [observation.pixels]);
    this.resume();
  }

  input(change: InputChange): void {
    const latched = { ...change, step: this.#steps };
    this.#inputs.push(latched);
    this.#latch.change(change.control, change.down, latched);
  }

  setAudioEnabled(on: boolean): void {
    this.#audioEnabled = on;
  }

  resume(): void {
    if (this.#isOver || this.#timer !== null) return;
    this.#lastStepAt = this.#host.now();
    this.#lagMs = 0;
    this.#pacer.start(this.#lastStepAt);
    this.#schedule();
  }

  /** Stops the game and releases all controls, as the server does. */
  stop(): void {
    this.#halt();
    this.#latch.release(NO_INPUT);
    this.#host.post({ kind: "stopped" }, []);
  }

  onDisplayFrame(at: number, newest: number): void {
    const expected = this.#deadlines.findLast(({ due }) => due + DELIVERY_MS <= at);
    this.#pacer.onDisplayFrame(at, expected === undefined || newest >= expected.frame);
  }

  /** Takes back the buffer of a picture for reuse. */
  recycleBuffer(buffer: ArrayBuffer): void {
    this.#spareBuffers.push(buffer);
  }

  #schedule(): void {
    const due = this.#pacer.dueAt;
    if (due === null) return;
    this.#timer = this.#host.after(Math.max(0, due - this.#host.now()), this.#tick);
  }

  readonly #tick = (): void => {
    const now = this.#host.now();
    const due = this.#pacer.dueAt;
    if (due === null) return;
    if (now < due) {
      this.#schedule();
      return;
    }
    if (now - due > STALL_MS) {
      this.#halt();
      this.#latch.release(NO_INPUT);
      this.#host.post({ kind: "stalled", ms: now - due }, []);
      return;
    }
    this.#pacer.onStep(now);
    this.#step(now, due);
    if (this.#isOver) this.#halt();
    else if (this.#keepsUp(now)) this.#schedule();
  };

  #keepsUp(now: number): boolean {
    const passed = now - this.#lastStepAt;
    this.#lastStepAt = now;
    this.#lagMs = Math.max(0, this.#lagMs + passed * (1 - MAX_SLOWDOWN) - 1000 / this.#options.hz);
    if (this.#lagMs <= MAX_LAG_MS) return true;
    this.#halt();
    this.#host.post(
      { kind: "failed", words: /*i18n*/ "This device is too slow to run the game." },
      [],
    );
    return false;
  }

  #step(at: number, due: number): void {
    const action = this.#latch.sample().action ?? this.#options.noop;
    const { reward, terminated, truncated, lives } = this.#game.step(action);
    const inputs = this.#inputs;
    this.#inputs = [];
    this.#steps++;
    this.#isOver = terminated || truncated;
    this.#deadlines.push({ due, frame: this.#steps });
    if (this.#deadlines.length > MAX_DEADLINES) this.#deadlines.shift();
    const observation = this.#observe(lives);
    const { digest } = this.#game;
    const sound = this.#audioEnabled ? this.#game.sound.slice() : null;
    this.#host.post(
      {
        kind: "step",
        ...observation,
        action,
        at: Math.round(at * 1000) / 1000,
        digest,
        inputs,
        reward,
        terminated,
        truncated,
        sound,
      },
      sound === null ? [observation.pixels] : [observation.pixels, sound.buffer],
    );
  }

  #observe(lives: number): Observation {
    const { width, height } = this.#game.size;
    const bytes = 4 * width * height;
    const spare = this.#spareBuffers.pop();
    const pixels = spare?.byteLength === bytes ? spare : new ArrayBuffer(bytes);
    new Uint32Array(pixels).set(this.#game.picture);
    return { frame: this.#steps, width, height, pixels, lives };
  }

  #halt(): void {
    this.#timer?.();
    this.#timer = null;
    this.#pacer.stop();
    this.#deadlines = [];
  }
}

/** Source of an action after all controls were released. */
const NO_INPUT: LatchedInput = {
  step: 0,
  control: "",
  down: false,
  at: 0,
  device: "keyboard",
  code: "",
  frame: null,
};
