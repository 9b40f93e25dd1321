import type { Offer } from "@/wire/messages";
import type { Picture } from "@/wire/packet";

import type { Platform } from "../platform";
import type { Change, FromWorker, Seen, Step, ToWorker } from "./messages";

/** What is used of a Worker; tests bring one that plays at once. */
export interface Port {
  send: (message: ToWorker, transfer?: Transferable[]) => void;
  close: () => void;
}

export interface LocalGameOptions {
  platform: Platform;
  openWorker: (hear: (message: FromWorker) => void) => Port;
  fetchModule: (path: string) => Promise<WebAssembly.Module>;
  fetchRom: (path: string) => Promise<Uint8Array>;
}

export interface LocalGameEvents {
  /** Observation 0 is there. */
  began: (seen: Seen, picture: Picture) => void;
  step: (step: Step, picture: Picture) => void;
  /** It stopped by itself, after standing still for so long. */
  stalled: (ms: number) => void;
  /** The emulator can't be had, or broke. */
  failed: (words: string) => void;
}

/** The game in the worker, as the page sees it: fetched once, then begun as often as one likes. */
export class LocalGame {
  readonly #options: LocalGameOptions;
  readonly #events: LocalGameEvents;
  #port: Port | null = null;
  #module = "";
  #ready = false;
  #running = false;
  #picture: Picture = { width: 0, height: 0, pixels: new Uint32Array(0) };
  #newest = -1;
  #heard = false;
  #onStopped: (() => void)[] = [];

  constructor(options: LocalGameOptions, events: LocalGameEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** An episode can begin. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Steps are being taken. */
  get running(): boolean {
    return this.#running;
  }

  /** Fetch what the server offers and start the worker, unless that was done. */
  prepare(offer: Offer): void {
    if (this.#module === offer.module) return;
    this.close();
    this.#module = offer.module;
    this.#load(offer).catch((error: unknown) => {
      // Without its files the game is streamed, as it would be from a server that has none to offer.
      this.#fail(error instanceof Error ? error.message : String(error));
    });
  }

  begin(seed: number): void {
    this.#newest = -1;
    this.#send({ kind: "begin", seed });
    this.#run();
  }

  input(change: Change): void {
    this.#send({ kind: "input", change });
  }

  /** Whether steps come with their sound. */
  hear(on: boolean): void {
    this.#heard = on;
    this.#send({ kind: "hear", on });
  }

  go(): void {
    this.#send({ kind: "go" });
    this.#run();
  }

  /** No more steps; `then` runs once every step that was taken has been told. */
  stop(then: () => void = () => undefined): void {
    if (this.#port === null || !this.#running) {
      then();
      return;
    }
    this.#running = false;
    this.#onStopped.push(then);
    this.#send({ kind: "stop" });
  }

  close(): void {
    this.#port?.close();
    this.#port = null;
    this.#module = "";
    this.#ready = false;
    this.#running = false;
  }

  async #load(offer: Offer): Promise<void> {
    const { fetchModule, fetchRom } = this.#options;
    const [module, rom] = await Promise.all([fetchModule(offer.module), fetchRom(offer.rom)]);
    if (this.#module !== offer.module) return;
    this.#port = this.#options.openWorker((message) => this.#hear(message));
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

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "loaded":
        this.#ready = true;
        this.#send({ kind: "hear", on: this.#heard });
        return;
      case "began": {
        this.#events.began(message, this.#see(message));
        return;
      }
      case "step":
        if (message.terminated || message.truncated) this.#running = false;
        {
          this.#events.step(message, this.#see(message));
          return;
        }
      case "stopped":
        return this.#onStopped.shift()?.();
      case "stalled":
        this.#running = false;
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

  /** Take a picture over, and give its memory back. */
  #see({ frame, width, height, pixels }: Seen): Picture {
    if (this.#picture.width !== width || this.#picture.height !== height) {
      this.#picture = { width, height, pixels: new Uint32Array(width * height) };
    }
    this.#picture.pixels.set(new Uint32Array(pixels));
    this.#newest = frame;
    this.#send({ kind: "spent", buffer: pixels }, [pixels]);
    return this.#picture;
  }

  /** Tell the worker of each frame of the display, so that it steps just before the next. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    const tell = (at: number): void => {
      if (!this.#running) return;
      this.#send({ kind: "displayed", at, newest: this.#newest });
      this.#options.platform.nextFrame(tell);
    };
    this.#options.platform.nextFrame(tell);
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
    this.#port?.send(message, transfer);
  }
}
