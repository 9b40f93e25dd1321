import { SoundQueue } from "./queue";

/** What of an AudioWorklet's global scope is used: its types and a page's do not fit into one program. */
declare const sampleRate: number;
declare function registerProcessor(name: string, made: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** Page to worklet. */
export type ToWorklet =
  | { kind: "step"; frame: number; samples: Uint8Array }
  /** The game stands still. */
  | { kind: "clear" }
  /** Answered by an `Account`. */
  | { kind: "tell" }
  | { kind: "end" };

export interface WorkletOptions {
  /** Samples a second of the game. */
  hz: number;
}

class ArcadeSound extends AudioWorkletProcessor {
  readonly #queue: SoundQueue;
  #ended = false;

  constructor({ processorOptions: { hz } }: { processorOptions: WorkletOptions }) {
    super();
    this.#queue = new SoundQueue(hz, sampleRate);
    this.port.onmessage = ({ data }: MessageEvent<ToWorklet>) => this.#take(data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const block = outputs[0]?.[0];
    if (block !== undefined) this.#queue.read(block);
    return !this.#ended;
  }

  #take(message: ToWorklet): void {
    switch (message.kind) {
      case "step":
        this.#queue.push(message.frame, message.samples);
        return;
      case "clear":
        this.#queue.clear();
        return;
      case "tell":
        this.port.postMessage(this.#queue.account);
        return;
      case "end":
        this.#ended = true;
    }
  }
}

registerProcessor("arcade-sound", ArcadeSound);
