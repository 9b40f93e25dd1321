/** How loud, from 0 to 1; null: not at all, and nothing is fetched for it. */
export type Loudness = number | null;

/** Where a game's sound goes. */
export interface Speaker {
  /** Samples a second of the game that is on; null: it has no sound. */
  tune: (hz: number | null) => void;
  /** How loud the person wants it. */
  set: (loudness: Loudness) => void;
  /** The game runs, or is about to; or it stands still. */
  run: (running: boolean) => void;
  play: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  /** Let go of everything. */
  close: () => void;
}

/** What a speaker needs of the browser's sound; tests bring their own. */
export interface Output {
  play: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  volume: (loudness: number) => void;
  run: (running: boolean) => void;
  close: () => void;
}

export type OpenOutput = (hz: number, failed: (words: string) => void) => Output;

/** A game's speaker: the browser's sound is opened when there is something to hear, and closed at the end. */
export class GameSpeaker implements Speaker {
  readonly #open: OpenOutput;
  readonly #failed: (words: string) => void;
  #output: Output | null = null;
  #hz: number | null = null;
  #loudness: Loudness = null;
  #running = false;

  /** `failed` is told, once, in words, when this browser can not play. */
  constructor(open: OpenOutput, failed: (words: string) => void) {
    this.#open = open;
    this.#failed = failed;
  }

  tune(hz: number | null): void {
    if (hz === this.#hz) return;
    this.close();
    this.#hz = hz;
    this.#refresh();
  }

  set(loudness: Loudness): void {
    this.#loudness = loudness;
    this.#refresh();
  }

  run(running: boolean): void {
    this.#running = running;
    this.#refresh();
  }

  play(frame: number, samples: Uint8Array<ArrayBuffer>): void {
    if (this.#loudness !== null && this.#running) this.#output?.play(frame, samples);
  }

  close(): void {
    this.#output?.close();
    this.#output = null;
  }

  #refresh(): void {
    const wanted = this.#loudness !== null && this.#running;
    // Only by now has the person pressed something, without which a browser plays nothing.
    if (wanted && this.#hz !== null) {
      this.#output ??= this.#open(this.#hz, (words) => {
        this.#hz = null;
        this.close();
        this.#failed(words);
      });
    }
    if (this.#loudness !== null) this.#output?.volume(this.#loudness);
    this.#output?.run(wanted);
  }
}
