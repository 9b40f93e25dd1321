/** Volume from 0 to 1. null is muted: no sound is fetched. */
export type Volume = number | null;

/** Plays the sound of a game. */
export interface Speaker {
  /** Sets the game's sample rate; null if it has no sound. */
  setSampleRate: (hz: number | null) => void;
  /** Sets the volume. */
  setVolume: (volume: Volume) => void;
  /** Sets whether the game runs or is about to. */
  setRunning: (running: boolean) => void;
  play: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  /** Releases all resources. */
  close: () => void;
}

/** The part of the browser's audio output that is used. Tests use a fake. */
export interface AudioOutput {
  play: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  setVolume: (volume: number) => void;
  setRunning: (running: boolean) => void;
  close: () => void;
}

export type OpenAudioOutput = (hz: number, onFailure: (words: string) => void) => AudioOutput;

/** Opens the audio output when there is something to play, and closes it at the end. */
export class GameSpeaker implements Speaker {
  readonly #open: OpenAudioOutput;
  readonly #onFailure: (words: string) => void;
  #output: AudioOutput | null = null;
  #hz: number | null = null;
  #volume: Volume = null;
  #isRunning = false;

  /** `onFailure` is called once with a message if the browser cannot play sound. */
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
    // Browsers play sound only after an interaction, and starting a game is one.
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
