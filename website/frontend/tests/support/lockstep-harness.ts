import type { Game } from "@/play/lockstep/stepper";
import type { FromWorker, ToWorker } from "@/play/lockstep/messages";
import type { WorkerPort } from "@/play/lockstep/lockstep-game";
import type { StepResult } from "@/lockstep/emulator";
import type { Hello, Offer } from "@/wire/messages";

import { GameEngine, type Phase } from "@/play/engine";
import { LockstepController } from "@/play/lockstep/lockstep-controller";
import { Stepper } from "@/play/lockstep/stepper";
import { createRemoteDriver } from "@/play/remote/remote-driver";

import { createFakeCanvas } from "./canvas";
import { FakePlatform } from "./platform";
import { FakeSockets, type FakeSocket } from "./sockets";
import { FakeAudioOutput } from "./audio-output";
import { REAL_TIME, flushPromises } from "./engine-harness";

const HELLO = { type: "hello", protocol: 1, at: 0 } as Hello;

export const OFFER: Offer = {
  module: "/lockstep/m.wasm",
  rom: "/lockstep/roms/breakout",
  game: "breakout",
  hz: 60,
  ale_version: "0.12.1",
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

/** Fake game whose digest depends on seed and actions. */
export class FakeGame implements Game {
  digest = 0;
  /** Step at which the episode terminates. */
  terminatesAt = Infinity;
  /** Step at which the emulator throws. */
  throwsAt = Infinity;
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
    if (++this.#steps >= this.throwsAt) throw new Error("unreachable");
    this.digest = (this.digest * 31 + action + 1) % 2 ** 32;
    this.picture[0] = this.#steps;
    this.sound.fill(this.#steps);
    const terminated = this.#steps >= this.terminatesAt;
    return { reward: action === 1 ? 2 : 0, terminated, truncated: false, lives: 5 };
  }
}

/** Engine in lockstep on fake clock, display, sockets and worker. */
export class LockstepHarness {
  readonly platform = new FakePlatform();
  readonly sockets = new FakeSockets();
  readonly game = new FakeGame();
  readonly output = new FakeAudioOutput();
  readonly engine: GameEngine;
  readonly local: { startEpisode: LockstepController | null } = { startEpisode: null };
  /** Error of the download of the emulator. */
  moduleError: Error | null = null;

  private constructor() {
    const driver = createRemoteDriver(
      {
        platform: this.platform,
        openSocket: this.sockets.open,
        getAddress: () => Promise.resolve({ url: "ws://arcade/1", ticket: "t" }),
        getHello: () => Promise.resolve(HELLO),
      },
      (hooks) =>
        new LockstepController({
          ...hooks,
          platform: this.platform,
          openWorker: (hear) => this.#openWorker(hear),
          fetchModule: () =>
            this.moduleError === null
              ? Promise.resolve({} as WebAssembly.Module)
              : Promise.reject(this.moduleError),
          fetchRom: () => Promise.resolve(new Uint8Array(2048)),
        }),
    );
    this.engine = new GameEngine(this.platform, driver, REAL_TIME, this.output.open);
  }

  /** Creates an engine that was welcomed and has loaded the emulator, unless that fails. */
  static async open(moduleError: Error | null = null): Promise<LockstepHarness> {
    const harness = new LockstepHarness();
    harness.moduleError = moduleError;
    harness.engine.attach(createFakeCanvas().canvas);
    harness.engine.open();
    await flushPromises();
    harness.welcome("ready");
    await flushPromises();
    return harness;
  }

  get phase(): Phase {
    return this.engine.getSnapshot().phase;
  }

  get socket(): FakeSocket {
    return this.sockets.last;
  }

  welcome(phase: "ready" | "playing" | "paused" | "ended", episode: string | null = null): void {
    this.socket.events.opened();
    this.socket.deliver({
      type: "welcome",
      protocol: 1,
      game: "breakout",
      phase,
      width: 2,
      height: 1,
      n_actions: 4,
      episode,
      ping_ms: 1000,
      lockstep: OFFER,
      sound_hz: 30_720,
      recorded: true,
      watchable: true,
      ghost: null,
    });
  }

  /** Starts a lockstep episode. */
  startEpisode(): FakeSocket {
    this.engine.start();
    this.platform.advance(1800);
    this.deliverStarted("e1", 0);
    return this.socket;
  }

  deliverStarted(episode: string, steps: number): void {
    const lockstep = { ale_seed: 7, n_steps: steps, digest: 7 };
    this.socket.deliver({ type: "started", episode, server_us: 1, lockstep });
  }

  /** Advances the clock with a display of 60 Hz. */
  advance(ms: number): void {
    const end = this.platform.now() + ms;
    while (this.platform.now() < end - 0.001) {
      this.platform.advance(Math.min(1000 / 60, end - this.platform.now()));
      this.platform.runAnimationFrame();
    }
  }

  /** Closes the socket and waits for the reconnect. */
  async dropConnection(): Promise<void> {
    this.socket.events.closed(1006, "");
    this.advance(300);
    await flushPromises();
  }

  /** Returns the steps and inputs sent on the current socket. */
  sentSteps(): { first: number; actions: number[]; inputs: [number, string, boolean][] } {
    const ticks = this.socket.sentOfType("ticks");
    return {
      first: ticks[0]?.first ?? -1,
      actions: ticks.flatMap(({ actions }) => actions),
      inputs: ticks.flatMap(({ inputs }) =>
        inputs.map(({ step, control, down }): [number, string, boolean] => [step, control, down]),
      ),
    };
  }

  /** Acknowledges all steps sent on this socket and answers the newest ping. */
  acknowledgeAll(): void {
    const ping = this.socket.sentOfType("ping").at(-1);
    if (ping !== undefined) {
      this.socket.deliver({ type: "pong", id: ping.id, received_us: 1, sent_us: 1 });
    }
    const last = this.socket.sentOfType("ticks").at(-1);
    if (last === undefined) return;
    const digest = last.digests.at(-1) ?? 0;
    this.socket.deliver({ type: "ticked", n_steps: last.first + last.actions.length, digest });
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
        else if (message.kind === "resume") stepper?.resume();
        else if (message.kind === "stop") stepper?.stop();
        else if (message.kind === "display-frame")
          stepper?.onDisplayFrame(message.at, message.newest);
        else if (message.kind === "set-audio") stepper?.setAudioEnabled(message.on);
        else stepper?.recycleBuffer(message.buffer);
      },
      close: () => stepper?.stop(),
    };
  }
}
