/** How loud, from 0 to 1; null: not at all, and nothing is fetched for it. */
export type Volume = number | null;

/** Where a game's sound goes. */
export interface Speaker {
  /** Samples a second of the game that is on; null: it has no sound. */
  setSampleRate: (hz: number | null) => void;
  /** How loud the person wants it. */
  setVolume: (volume: Volume) => void;
  /** The game runs, or is about to; or it stands still. */
  setRunning: (running: boolean) => void;
  play: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  /** Let go of everything. */
  close: () => void;
}

/** What a speaker needs of the browser's sound; tests bring their own. */
export interface AudioOutput {
  play: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  setVolume: (volume: number) => void;
  setRunning: (running: boolean) => void;
  close: () => void;
}

export type OpenAudioOutput = (hz: number, onFailure: (words: string) => void) => AudioOutput;

/** A game's speaker: the browser's sound is opened when there is something to hear, and closed at the end. */
export class GameSpeaker implements Speaker {
  readonly #open: OpenAudioOutput;
  readonly #onFailure: (words: string) => void;
  #output: AudioOutput | null = null;
  #hz: number | null = null;
  #volume: Volume = null;
  #isRunning = false;

  /** `failed` is told, once, in words, when this browser can not play. */
  constructor(open: OpenAudioOutput, onFailure: (words: string) => void) {
    this.#open = open;
    this.#onFailure = onFailure;
  }

  setSampleRate(hz: number | null): void {
    if (hz === this.#hz) return;
    this.close();
    this.#hz = hz;
    this.#apply();
  }

  setVolume(volume: Volume): void {
    this.#volume = volume;
    this.#apply();
  }

  setRunning(running: boolean): void {
    this.#isRunning = running;
    this.#apply();
  }

  play(frame: number, samples: Uint8Array<ArrayBuffer>): void {
    if (this.#volume !== null && this.#isRunning) this.#output?.play(frame, samples);
  }

  close(): void {
    this.#output?.close();
    this.#output = null;
  }

  #apply(): void {
    const shouldPlay = this.#volume !== null && this.#isRunning;
    // Only by now has the person pressed something, without which a browser plays nothing.
    if (shouldPlay && this.#hz !== null) {
      this.#output ??= this.#open(this.#hz, (words) => {
        this.#hz = null;
        this.close();
        this.#onFailure(words);
      });
    }
    if (this.#volume !== null) this.#output?.setVolume(this.#volume);
    this.#output?.setRunning(shouldPlay);
  }
}
