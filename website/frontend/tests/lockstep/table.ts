import type { Game } from "@/play/lockstep/stepper";
import type { FromWorker, ToWorker } from "@/play/lockstep/messages";
import type { WorkerPort } from "@/play/lockstep/lockstep-game";
import type { StepResult } from "@/lockstep/emulator";
import type { Hello, Offer } from "@/wire/messages";

import { GameEngine, type Phase } from "@/play/engine";
import { LockstepController } from "@/play/lockstep/lockstep-controller";
import { Stepper } from "@/play/lockstep/stepper";
import { createRemoteDriver } from "@/play/remote/remote-driver";

import { makeCanvas } from "../support/canvas";
import { HandPlatform } from "../support/platform";
import { HandSockets, type HandSocket } from "../support/sockets";
import { HandOutput } from "../support/output";
import { REAL_TIME, settle } from "../support/table";

const HELLO = { type: "hello", protocol: 1, at: 0 } as Hello;

export const OFFER: Offer = {
  module: "/lockstep/m.wasm",
  rom: "/lockstep/roms/breakout",
  game: "breakout",
  hz: 60,
  sticky: 0,
  frameskip: 1,
  max_frames: 0,
  max_steps: null,
  mode: null,
  difficulty: null,
  all_actions: false,
  counts_lives: true,
  bindings: [
    { press: ["fire"], action: 1 },
    { press: ["left"], action: 3 },
  ],
  noop: 0,
  away_ms: 20_000,
};

/** A game without a game: its digest tells the seed and all actions. */
export class PlainGame implements Game {
  digest = 0;
  /** It is over after so many steps. */
  length = Infinity;
  /** The step at which the emulator breaks. */
  breaks = Infinity;
  readonly size = { width: 2, height: 1 };
  readonly picture = new Uint32Array(2);
  readonly sound = new Uint8Array(512);
  #steps = 0;

  load({ seed }: { seed: number }): StepResult {
    this.digest = seed;
    this.#steps = 0;
    return { reward: 0, terminated: false, truncated: false, lives: 5 };
  }

  step(action: number): StepResult {
    if (++this.#steps >= this.breaks) throw new Error("unreachable");
    this.digest = (this.digest * 31 + action + 1) % 2 ** 32;
    this.picture[0] = this.#steps;
    this.sound.fill(this.#steps);
    const terminated = this.#steps >= this.length;
    return { reward: action === 1 ? 2 : 0, terminated, truncated: false, lives: 5 };
  }
}

/** An engine that plays in the page, where clock, display, sockets and worker are moved by hand. */
export class LocalTable {
  readonly platform = new HandPlatform();
  readonly sockets = new HandSockets();
  readonly game = new PlainGame();
  readonly output = new HandOutput();
  readonly engine: GameEngine;
  readonly local: { play: LockstepController | null } = { play: null };
  /** What stands in the way of the emulator. */
  refusal: Error | null = null;

  private constructor() {
    const driver = createRemoteDriver(
      {
        platform: this.platform,
        openSocket: this.sockets.open,
        getAddress: () => Promise.resolve("ws://arcade/1"),
        getHello: () => Promise.resolve(HELLO),
      },
      (hooks) =>
        new LockstepController({
          ...hooks,
          platform: this.platform,
          openWorker: (hear) => this.#openWorker(hear),
          fetchModule: () =>
            this.refusal === null
              ? Promise.resolve({} as WebAssembly.Module)
              : Promise.reject(this.refusal),
          fetchRom: () => Promise.resolve(new Uint8Array(2048)),
        }),
    );
    this.engine = new GameEngine(this.platform, driver, REAL_TIME, this.output.open);
  }

  /** Welcomed, with the emulator loaded if it can be had. */
  static async open(refusal: Error | null = null): Promise<LocalTable> {
    const table = new LocalTable();
    table.refusal = refusal;
    table.engine.attach(makeCanvas().canvas);
    table.engine.open();
    await settle();
    table.greet("ready");
    await settle();
    return table;
  }

  get phase(): Phase {
    return this.engine.getSnapshot().phase;
  }

  get socket(): HandSocket {
    return this.sockets.last;
  }

  greet(phase: "ready" | "playing" | "paused" | "ended", episode: string | null = null): void {
    this.socket.events.opened();
    this.socket.say({
      type: "welcome",
      protocol: 1,
      game: "breakout",
      phase,
      width: 2,
      height: 1,
      episode,
      ping_ms: 1000,
      lockstep: OFFER,
      sound_hz: 30_720,
    });
  }

  /** To the middle of a lockstep game. */
  play(): HandSocket {
    this.engine.start();
    this.platform.pass(1800);
    this.started("e1", 0);
    return this.socket;
  }

  started(episode: string, steps: number): void {
    const lockstep = { ale_seed: 7, n_steps: steps, digest: 7 };
    this.socket.say({ type: "started", episode, server_us: 1, lockstep });
  }

  /** Let time pass on a display of 60 Hz. */
  pass(ms: number): void {
    const end = this.platform.now() + ms;
    while (this.platform.now() < end - 0.001) {
      this.platform.pass(Math.min(1000 / 60, end - this.platform.now()));
      this.platform.paint();
    }
  }

  /** The socket breaks; the page tries again at once. */
  async drop(): Promise<void> {
    this.socket.events.closed(1006, "");
    this.pass(300);
    await settle();
  }

  /** Steps that the page has sent on this socket, and the inputs with them. */
  sent(): { first: number; actions: number[]; inputs: [number, string, boolean][] } {
    const ticks = this.socket.of("ticks");
    return {
      first: ticks[0]?.first ?? -1,
      actions: ticks.flatMap(({ actions }) => actions),
      inputs: ticks.flatMap(({ inputs }) =>
        inputs.map(({ step, control, down }): [number, string, boolean] => [step, control, down]),
      ),
    };
  }

  /** The server follows all that was sent on this socket, and answers the newest ping. */
  follow(): void {
    const ping = this.socket.of("ping").at(-1);
    if (ping !== undefined) {
      this.socket.say({ type: "pong", id: ping.id, received_us: 1, sent_us: 1 });
    }
    const last = this.socket.of("ticks").at(-1);
    if (last === undefined) return;
    const digest = last.digests.at(-1) ?? 0;
    this.socket.say({ type: "ticked", n_steps: last.first + last.actions.length, digest });
  }

  #openWorker(hear: (message: FromWorker) => void): WorkerPort {
    let stepper: Stepper | null = null;
    const { platform, game } = this;
    const post = (message: FromWorker) => hear(message);
    const after = (ms: number, run: () => void) =>
      platform.after(ms, () => {
        try {
          run();
        } catch (error) {
          hear({ kind: "failed", words: String(error) });
        }
      });
    return {
      send: (message: ToWorker) => {
        if (message.kind === "load") {
          stepper = new Stepper(game, message, { now: platform.now, after, post });
          hear({ kind: "loaded" });
        } else if (message.kind === "begin") stepper?.begin(message.seed);
        else if (message.kind === "input") stepper?.input(message.change);
        else if (message.kind === "go") stepper?.resume();
        else if (message.kind === "stop") stepper?.stop();
        else if (message.kind === "displayed") stepper?.onDisplayFrame(message.at, message.newest);
        else if (message.kind === "hear") stepper?.setAudioEnabled(message.on);
        else stepper?.recycleBuffer(message.buffer);
      },
      close: () => stepper?.stop(),
    };
  }
}
