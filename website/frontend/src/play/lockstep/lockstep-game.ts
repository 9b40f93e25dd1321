import type { Offer } from "@/wire/messages";
import type { Picture } from "@/wire/packet";

import type { Platform } from "../platform";
import type { InputChange, FromWorker, Observation, Step, ToWorker } from "./messages";

/** The part of a Worker that is used. Tests use a synchronous fake. */
export interface WorkerPort {
  send: (message: ToWorker, transfer?: Transferable[]) => void;
  close: () => void;
}

export interface LockstepGameOptions {
  platform: Platform;
  openWorker: (onMessage: (message: FromWorker) => void) => WorkerPort;
  fetchModule: (path: string) => Promise<WebAssembly.Module>;
  fetchRom: (path: string) => Promise<Uint8Array>;
}

export interface LockstepGameEvents {
  /** Observation 0 is available. */
  began: (seen: Observation, picture: Picture) => void;
  step: (step: Step, picture: Picture) => void;
  /** The game stopped because no step was possible for `ms`. */
  stalled: (ms: number) => void;
  /** The emulator could not be loaded, or it failed. */
  failed: (words: string) => void;
}

/** Page side of the game in the worker. Its files are loaded once for any number of episodes. */
export class LockstepGame {
  readonly #options: LockstepGameOptions;
  readonly #events: LockstepGameEvents;
  #worker: WorkerPort | null = null;
  #module = "";
  #isReady = false;
  #isRunning = false;
  #picture: Picture = { width: 0, height: 0, pixels: new Uint32Array(0) };
  #newestFrame = -1;
  #audioEnabled = false;
  #onStopped: (() => void)[] = [];

  constructor(options: LockstepGameOptions, events: LockstepGameEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** True if an episode can start. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** True while the game takes steps. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Fetches the offered files and starts the worker. Does nothing if that was already done. */
  prepare(offer: Offer): void {
    if (this.#module === offer.module) return;
    this.close();
    this.#module = offer.module;
    this.#load(offer).catch((error: unknown) => {
      // If the files cannot be loaded, the game is streamed.
      this.#fail(error instanceof Error ? error.message : String(error));
    });
  }

  begin(seed: number): void {
    this.#newestFrame = -1;
    this.#send({ kind: "begin", seed });
    this.#reportDisplayFrames();
  }

  input(change: InputChange): void {
    this.#send({ kind: "input", change });
  }

  /** Sets whether steps include sound. */
  setAudioEnabled(on: boolean): void {
    this.#audioEnabled = on;
    this.#send({ kind: "set-audio", on });
  }

  resume(): void {
    this.#send({ kind: "resume" });
    this.#reportDisplayFrames();
  }

  /** Stops the game. `then` runs after every step that was taken has been reported. */
  stop(then: () => void = () => undefined): void {
    if (this.#worker === null || !this.#isRunning) {
      then();
      return;
    }
    this.#isRunning = false;
    this.#onStopped.push(then);
    this.#send({ kind: "stop" });
  }

  close(): void {
    this.#worker?.close();
    this.#worker = null;
    this.#module = "";
    this.#isReady = false;
    this.#isRunning = false;
  }

  async #load(offer: Offer): Promise<void> {
    const { fetchModule, fetchRom } = this.#options;
    const [module, rom] = await Promise.all([fetchModule(offer.module), fetchRom(offer.rom)]);
    if (this.#module !== offer.module) return;
    this.#worker = this.#options.openWorker((message) => this.#onMessage(message));
    this.#send({
      kind: "load",
      module,
      cartridge: { name: offer.game, rom },
      setup: {
        sticky: offer.sticky,
        frameskip: offer.frameskip,
        maxFrames: offer.max_frames,
        maxSteps: offer.max_steps,
        mode: offer.mode,
        difficulty: offer.difficulty,
        allActions: offer.all_actions,
      },
      hz: offer.hz,
      bindings: offer.bindings,
      noop: offer.noop,
      origin: performance.timeOrigin,
    });
  }

  #onMessage(message: FromWorker): void {
    switch (message.kind) {
      case "loaded":
        this.#isReady = true;
        this.#send({ kind: "set-audio", on: this.#audioEnabled });
        return;
      case "began": {
        this.#events.began(message, this.#copyPicture(message));
        return;
      }
      case "step":
        if (message.terminated || message.truncated) this.#isRunning = false;
        {
          this.#events.step(message, this.#copyPicture(message));
          return;
        }
      case "stopped":
        return this.#onStopped.shift()?.();
      case "stalled":
        this.#isRunning = false;
        {
          this.#events.stalled(message.ms);
          return;
        }
      case "failed": {
        this.#fail(message.words);
        return;
      }
    }
  }

  /** Copies a picture and returns its buffer to the worker. */
  #copyPicture({ frame, width, height, pixels }: Observation): Picture {
    if (this.#picture.width !== width || this.#picture.height !== height) {
      this.#picture = { width, height, pixels: new Uint32Array(width * height) };
    }
    this.#picture.pixels.set(new Uint32Array(pixels));
    this.#newestFrame = frame;
    this.#send({ kind: "recycle-buffer", buffer: pixels }, [pixels]);
    return this.#picture;
  }

  /** Reports each display frame to the worker, so that it steps just before the next one. */
  #reportDisplayFrames(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const reportFrame = (at: number): void => {
      if (!this.#isRunning) return;
      this.#send({ kind: "display-frame", at, newest: this.#newestFrame });
      this.#options.platform.nextFrame(reportFrame);
    };
    this.#options.platform.nextFrame(reportFrame);
  }

  #fail(words: string): void {
    const waiting = this.#onStopped;
    const module = this.#module;
    this.close();
    this.#module = module; // not to be fetched again: it would fail again
    this.#onStopped = [];
    for (const then of waiting) then();
    this.#events.failed(words);
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.send(message, transfer);
  }
}
