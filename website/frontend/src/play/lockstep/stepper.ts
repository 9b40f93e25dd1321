import type { Emulator, Setup } from "@/lockstep/emulator";

import type { Cancel } from "../platform";
import { Latch, type Binding } from "./latch";
import type { Change, FromWorker, Latched, Seen } from "./messages";
import { Pacer } from "./pacer";

/** Longer than this without a step, and the game stops: nobody can play through it. */
const STALL_MS = 500;
/**
 * A page that falls behind real time by more than this share, and then by this long, does not keep up. The
 * server would take more before it took it for slow motion (SPEC, L6).
 */
const SLOWER = 0.05;
const BEHIND_MS = 1000;
/** Steps whose deadlines are remembered, to tell which should have arrived by a frame of the display. */
const REMEMBERED = 8;
/** A picture needs this long to arrive. */
const ARRIVAL_MS = 1;

/** What the stepper uses of an emulator. */
export type Game = Pick<Emulator, "load" | "step" | "picture" | "size" | "digest" | "sound">;

/** What the stepper needs of the worker it runs in. Times are the page's, milliseconds. */
export interface Surroundings {
  now: () => number;
  after: (ms: number, run: () => void) => Cancel;
  post: (message: FromWorker, transfer: Transferable[]) => void;
}

export interface Rules {
  setup: Omit<Setup, "seed">;
  hz: number;
  bindings: readonly Binding[];
  noop: number;
}

/** Plays one game, step by step in real time: newest input in, step, picture and all that the server must know out. */
export class Stepper {
  readonly #game: Game;
  readonly #rules: Rules;
  readonly #world: Surroundings;
  readonly #pacer: Pacer;
  #latch: Latch<Latched>;
  #inputs: Latched[] = [];
  #steps = 0;
  #over = true;
  #timer: Cancel | null = null;
  #spare: ArrayBuffer[] = [];
  #heard = false;
  #deadlines: { due: number; frame: number }[] = [];
  /** When the last step was taken, and how far behind real time the game is since it last went on. */
  #last = 0;
  #behind = 0;

  constructor(game: Game, rules: Rules, world: Surroundings) {
    this.#game = game;
    this.#rules = rules;
    this.#world = world;
    this.#pacer = new Pacer(rules.hz);
    this.#latch = new Latch(rules.bindings, rules.noop);
  }

  begin(seed: number): void {
    this.#halt();
    const { lives } = this.#game.load({ ...this.#rules.setup, seed });
    this.#latch = new Latch(this.#rules.bindings, this.#rules.noop);
    this.#inputs = [];
    this.#steps = 0;
    this.#over = false;
    const seen = this.#see(lives);
    this.#world.post({ kind: "began", ...seen }, [seen.pixels]);
    this.go();
  }

  input(change: Change): void {
    const latched = { ...change, step: this.#steps };
    this.#inputs.push(latched);
    this.#latch.change(change.control, change.down, latched);
  }

  hear(on: boolean): void {
    this.#heard = on;
  }

  go(): void {
    if (this.#over || this.#timer !== null) return;
    this.#last = this.#world.now();
    this.#behind = 0;
    this.#pacer.start(this.#last);
    this.#arm();
  }

  /** Stop, and let go of every control, as the server does. */
  stop(): void {
    this.#halt();
    this.#latch.release(NOTHING);
    this.#world.post({ kind: "stopped" }, []);
  }

  displayed(at: number, newest: number): void {
    const meant = this.#deadlines.findLast(({ due }) => due + ARRIVAL_MS <= at);
    this.#pacer.displayed(at, meant === undefined || newest >= meant.frame);
  }

  /** Memory of a picture that was drawn. */
  spend(buffer: ArrayBuffer): void {
    this.#spare.push(buffer);
  }

  #arm(): void {
    const due = this.#pacer.due;
    if (due === null) return;
    this.#timer = this.#world.after(Math.max(0, due - this.#world.now()), this.#tick);
  }

  readonly #tick = (): void => {
    const now = this.#world.now();
    const due = this.#pacer.due;
    if (due === null) return;
    if (now < due) {
      this.#arm();
      return;
    }
    if (now - due > STALL_MS) {
      this.#halt();
      this.#latch.release(NOTHING);
      this.#world.post({ kind: "stalled", ms: now - due }, []);
      return;
    }
    this.#pacer.stepped(now);
    this.#step(now, due);
    if (this.#over) this.#halt();
    else if (this.#keepsUp(now)) this.#arm();
  };

  #keepsUp(now: number): boolean {
    const passed = now - this.#last;
    this.#last = now;
    this.#behind = Math.max(0, this.#behind + passed * (1 - SLOWER) - 1000 / this.#rules.hz);
    if (this.#behind <= BEHIND_MS) return true;
    this.#halt();
    this.#world.post({ kind: "failed", words: "This machine is too busy to run it." }, []);
    return false;
  }

  #step(at: number, due: number): void {
    const action = this.#latch.sample().action ?? this.#rules.noop;
    const { reward, terminated, truncated, lives } = this.#game.step(action);
    const inputs = this.#inputs;
    this.#inputs = [];
    this.#steps++;
    this.#over = terminated || truncated;
    this.#deadlines.push({ due, frame: this.#steps });
    if (this.#deadlines.length > REMEMBERED) this.#deadlines.shift();
    const seen = this.#see(lives);
    const { digest } = this.#game;
    const sound = this.#heard ? this.#game.sound.slice() : null;
    this.#world.post(
      {
        kind: "step",
        ...seen,
        action,
        at: Math.round(at * 1000) / 1000,
        digest,
        inputs,
        reward,
        terminated,
        truncated,
        sound,
      },
      sound === null ? [seen.pixels] : [seen.pixels, sound.buffer],
    );
  }

  #see(lives: number): Seen {
    const { width, height } = this.#game.size;
    const bytes = 4 * width * height;
    const spare = this.#spare.pop();
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

/** What an action follows from when every control was let go. */
const NOTHING: Latched = {
  step: 0,
  control: "",
  down: false,
  at: 0,
  device: "keyboard",
  code: "",
  frame: null,
};
