/** Events in which browsers allow a page to start sound (HTML, user activation). */
const GESTURES = ["pointerdown", "pointerup", "touchend", "keydown"] as const;
/** Automatic resumes without a gesture between them, so that a failing device causes no loop. */
const MAX_AUTOMATIC_RESUMES = 5;

/** The part of an AudioContext that is used. Tests use a fake. */
export interface RunnableContext extends Pick<EventTarget, "addEventListener"> {
  /** "interrupted" is missing in TypeScript's types. */
  readonly state: AudioContextState | "interrupted";
  resume: () => Promise<void>;
  suspend: () => Promise<void>;
}

/**
 * Keeps an audio context running while sound is wanted.
 *
 * The browser stops it by itself: state "interrupted" during a phone call or while another app plays
 * (iOS, Web Audio 1.1), "suspended" after some interruptions and device failures. Afterwards some
 * contexts continue by themselves, some after `resume`, and some only after `resume` in a gesture.
 */
export class ContextRunner {
  readonly #context: RunnableContext;
  readonly #stop = new AbortController();
  #isWanted = false;
  #automaticResumes = 0;

  constructor(context: RunnableContext, gestureTarget: Pick<EventTarget, "addEventListener">) {
    this.#context = context;
    const { signal } = this.#stop;
    context.addEventListener("statechange", () => this.#onStateChange(), { signal });
    for (const gesture of GESTURES)
      gestureTarget.addEventListener(gesture, () => this.#onGesture(), { signal, capture: true });
  }

  /** Resumes the context, at the latest in the player's next gesture. */
  run(): void {
    this.#isWanted = true;
    this.#automaticResumes = 0;
    this.#resume();
  }

  suspend(): void {
    this.#isWanted = false;
    this.#context.suspend().catch(ignore);
  }

  close(): void {
    this.#isWanted = false;
    this.#stop.abort();
  }

  #onStateChange(): void {
    // While interrupted, `resume` fails, and in WebKit it leaves the context without sound.
    if (!this.#isWanted || this.#context.state !== "suspended") return;
    if (this.#automaticResumes++ < MAX_AUTOMATIC_RESUMES) this.#resume();
  }

  #onGesture(): void {
    this.#automaticResumes = 0;
    const { state } = this.#context;
    if (this.#isWanted && (state === "suspended" || state === "interrupted")) this.#resume();
  }

  #resume(): void {
    this.#context.resume().catch(ignore);
  }
}

/** A rejected `resume` or `suspend` changes nothing; the next state change or gesture retries. */
const ignore = (): void => undefined;
