import { SoundQueue } from "./sound-queue";

/**
 * The used part of an AudioWorklet's global scope. TypeScript cannot load these types together with
 * the DOM's.
 */
declare const sampleRate: number;
declare function registerProcessor(name: string, processorClass: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** Messages from the page to the worklet. */
export type ToWorklet =
  | { kind: "step"; frame: number; samples: Uint8Array }
  /** The game is paused. */
  | { kind: "clear" }
  /** Answered with `AudioStats`. */
  | { kind: "stats" }
  | { kind: "end" };

export interface WorkletOptions {
  /** Sample rate of the game. */
  hz: number;
}

class SoundProcessor extends AudioWorkletProcessor {
  readonly #queue: SoundQueue;
  #isEnded = false;

  constructor({ processorOptions: { hz } }: { processorOptions: WorkletOptions }) {
    super();
    this.#queue = new SoundQueue(hz, sampleRate);
    this.port.onmessage = ({ data }: MessageEvent<ToWorklet>) => this.#onMessage(data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const block = outputs[0]?.[0];
    if (block !== undefined) this.#queue.read(block);
    return !this.#isEnded;
  }

  #onMessage(message: ToWorklet): void {
    switch (message.kind) {
      case "step":
        this.#queue.push(message.frame, message.samples);
        return;
      case "clear":
        this.#queue.clear();
        return;
      case "stats":
        this.port.postMessage(this.#queue.stats);
        return;
      case "end":
        this.#isEnded = true;
    }
  }
}

registerProcessor("arcade-sound", SoundProcessor);
