import type { Ended, FocusState, Setup } from "@/wire/messages";
import type { FrameHead, Picture } from "@/wire/packet";

import type { Driver } from "./driver";
import { HeldControls, type ControlChange, type InputSink } from "./input/held-controls";
import type { KeyUse } from "./input/keyboard";
import { Painter } from "./painter";
import type { Cancel, Platform } from "./platform";
import { FrameRateCounter } from "./frame-rate";
import { GameSpeaker, type Volume, type OpenAudioOutput, type Speaker } from "./sound/speaker";
import type { Engine, Pace, Phase, Snapshot } from "./state";
import { Store } from "./store";

export type { Engine, Pace, Phase, Snapshot } from "./state";

const COUNTDOWN_BEATS = 3;
const COUNTDOWN_BEAT_MS = 600;
/** Phases in which the game plays sound or is about to. */
const AUDIBLE_PHASES: ReadonlySet<Phase["kind"]> = new Set(["countdown", "starting", "playing"]);
const INITIAL_COUNTERS = { score: 0, lives: null, seconds: 0, steps: 0 } as const;

/** Connects driver, painter, sound and inputs, and keeps the state of one game for the page. */
export class GameEngine implements Engine {
  readonly #platform: Platform;
  readonly #driver: Driver;
  readonly #pace: Pace;
  readonly #painter: Painter;
  readonly #controls: HeldControls;
  readonly #speaker: Speaker;
  readonly #store = new Store<Snapshot>({
    phase: { kind: "connecting" },
    ...INITIAL_COUNTERS,
    size: null,
    hasSound: false,
    latencyMs: null,
    steppedBy: null,
    fps: null,
    caption: null,
    notice: null,
  });
  readonly #frameRate = new FrameRateCounter();
  #countdownTimer: Cancel | null = null;
  /** True while the server has an active episode. */
  #episodeActive = false;
  /** True if a new episode starts after the current one has ended. */
  #restartRequested = false;
  #noticeCount = 0;
  /** Preview of the next episode, until it is painted. */
  #preview: Picture | null = null;
  readonly getSnapshot = this.#store.getSnapshot;
  readonly subscribe = this.#store.subscribe;

  constructor(platform: Platform, driver: Driver, pace: Pace, openOutput: OpenAudioOutput) {
    this.#platform = platform;
    this.#speaker = new GameSpeaker(openOutput, (words) => {
      this.#store.set({ hasSound: false });
      this.#showNotice(words);
    });
    this.#driver = driver;
    this.#pace = pace;
    this.#painter = new Painter(platform, (frame, at) => this.#onPainted(frame, at));
    this.#controls = new HeldControls((change) => this.#onControlChange(change));
  }

  get input(): InputSink {
    return this.#controls;
  }

  keyUse = (): KeyUse => {
    switch (this.#phase.kind) {
      case "playing":
      case "countdown":
      case "starting":
        return "captured";
      case "paused":
      case "leaving":
      case "ended":
        return "suppressed";
      default:
        return "free";
    }
  };

  attach = (canvas: HTMLCanvasElement): Cancel => this.#painter.attach(canvas);

  open(): void {
    this.#driver.open({
      welcome: (phase, { width, height, sound_hz: hz }) => {
        this.#store.set({ size: { width, height }, hasSound: hz !== null });
        this.#speaker.setSampleRate(hz);
        this.#onWelcome(phase);
      },
      started: () => this.#onStarted(),
      steppedBy: (by) => this.#store.set({ steppedBy: by }),
      preview: (picture) => {
        this.#preview = picture;
        const { kind } = this.#phase;
        // The last picture of an ended episode stays on the screen until the player starts the next
        // one.
        if (kind !== "ended" && kind !== "episode-lost") this.#showPreview();
      },
      picture: (head, picture, changed) => {
        this.#painter.show(picture, head, changed);
        this.#updateSize(picture);
        this.#updateCounters(head);
      },
      sound: (frame, samples) => this.#speaker.play(frame, samples),
      paused: (reason) => {
        if (this.#phase.kind === "playing") this.#enterPhase({ kind: "paused", reason });
      },
      resumed: () => this.#onResumed(),
      ended: (ended) => this.#onEnded(ended),
      caption: (caption) => this.#store.set({ caption }),
      notice: (text) => this.#showNotice(text),
      latency: (ms) => this.#store.set({ latencyMs: Math.round(ms) }),
      reconnecting: (attempt, message, cause) => {
        this.#enterPhase({
          kind: "reconnecting",
          attempt,
          message,
          cause,
          episodeActive: this.#episodeActive,
        });
        this.#store.set({ latencyMs: null });
      },
      closed: (closeReason) => {
        this.#episodeActive = false;
        this.#enterPhase({ kind: "closed", closeReason });
      },
    });
  }

  start(): void {
    const { kind } = this.#phase;
    if (kind !== "ready" && kind !== "ended" && kind !== "episode-lost") return;
    this.#showPreview();
    if (this.#pace.kind === "real-time") this.#startCountdown(COUNTDOWN_BEATS, "start");
    else this.#startEpisode();
  }

  pause = (): void => this.#pauseFor("player");

  resume(): void {
    if (this.#phase.kind !== "paused") return;
    if (this.#pace.kind === "real-time") this.#startCountdown(COUNTDOWN_BEATS, "resume");
    else this.#driver.resume(this.#platform.now());
  }

  updateSetup = (setup: Setup): void => this.#driver.updateSetup(setup);

  setVolume = (loudness: Volume): void => this.#speaker.setVolume(loudness);

  restart(): void {
    if (!this.#episodeActive) return;
    this.#restartRequested = true;
    this.leave();
  }

  leave(): void {
    if (!this.#episodeActive) return;
    this.#releaseInputs();
    this.#driver.leave(this.#platform.now());
    this.#enterPhase({ kind: "leaving", thenRestart: this.#restartRequested });
  }

  /** Releases all keys on blur, because the window receives no keyup events without focus. */
  reportFocus(state: FocusState, at: number): void {
    const isAway = state === "blur" || state === "hidden";
    if (isAway) this.#controls.releaseAll(at);
    this.#driver.reportFocus(state, at);
    if (isAway && this.#pace.kind === "real-time") this.#pauseFor("focus");
  }

  reconnectNow = (): void => this.#driver.reconnectNow();

  close(): void {
    this.#cancelCountdown();
    this.#driver.close();
    this.#painter.close();
    this.#speaker.close();
  }

  get #phase(): Phase {
    return this.#store.getSnapshot().phase;
  }

  #enterPhase(phase: Phase): void {
    this.#cancelCountdown();
    this.#speaker.setRunning(AUDIBLE_PHASES.has(phase.kind));
    this.#store.set({ phase });
  }

  /** The picture's size may change within an episode. */
  #updateSize({ width, height }: Picture): void {
    const { size } = this.getSnapshot();
    if (size?.width !== width || size.height !== height)
      this.#store.set({ size: { width, height } });
  }

  #showNotice(text: string): void {
    this.#store.set({ notice: { id: ++this.#noticeCount, text } });
  }

  #onWelcome(phase: "ready" | "playing" | "paused" | "ended"): void {
    this.#restartRequested = false;
    const isEpisodeLost = this.#episodeActive && (phase === "ready" || phase === "ended");
    this.#episodeActive = phase === "playing" || phase === "paused";
    if (isEpisodeLost) this.#enterPhase({ kind: "episode-lost" });
    else if (phase === "paused") this.#enterPhase({ kind: "paused", reason: "connection" });
    else if (phase === "playing") this.#enterPhase({ kind: "starting" });
    else this.#enterPhase({ kind: "ready" });
  }

  /** Paints the preview of the next episode. */
  #showPreview(): void {
    if (this.#preview !== null && !this.#episodeActive) this.#painter.showPreview(this.#preview);
    this.#preview = null;
  }

  #startEpisode(): void {
    this.#enterPhase({ kind: "starting" });
    this.#driver.start(this.#platform.now());
  }

  #onStarted(): void {
    this.#painter.reset();
    if (this.#phase.kind === "paused") return;
    this.#episodeActive = true;
    this.#store.set(INITIAL_COUNTERS);
    this.#enterPhase({ kind: "playing" });
    this.#resendHeldInputs();
  }

  #onResumed(): void {
    const { kind } = this.#phase;
    if (kind !== "paused" && kind !== "starting") return;
    this.#enterPhase({ kind: "playing" });
    this.#resendHeldInputs();
  }

  #onEnded({ episode, status, reason, score, n_steps: steps }: Ended): void {
    this.#episodeActive = false;
    const finalScore = Number(score);
    this.#store.set({ score: finalScore });
    this.#enterPhase({ kind: "ended", episode, status, reason, score: finalScore, steps });
    if (!this.#restartRequested) return;
    this.#restartRequested = false;
    this.start();
  }

  /** Pauses a real-time game, or cancels its countdown. */
  #pauseFor(reason: "player" | "focus"): void {
    const phase = this.#phase;
    if (phase.kind === "countdown") {
      this.#enterPhase(phase.then === "start" ? { kind: "ready" } : { kind: "paused", reason });
    } else if (phase.kind === "playing") {
      this.#releaseInputs();
      this.#driver.pause(this.#platform.now());
      this.#enterPhase({ kind: "paused", reason });
    }
  }

  #startCountdown(beatsLeft: number, then: "start" | "resume"): void {
    this.#enterPhase({ kind: "countdown", beatsLeft, then });
    this.#countdownTimer = this.#platform.after(COUNTDOWN_BEAT_MS, () => {
      if (beatsLeft > 1) {
        this.#startCountdown(beatsLeft - 1, then);
      } else if (then === "start") {
        this.#startEpisode();
      } else {
        this.#enterPhase({ kind: "starting" });
        this.#driver.resume(this.#platform.now());
      }
    });
  }

  #cancelCountdown(): void {
    this.#countdownTimer?.();
    this.#countdownTimer = null;
  }

  #onPainted(frame: number, at: number): void {
    this.#driver.painted(frame, at);
    const fps = this.#pace.kind === "real-time" ? this.#frameRate.add(at) : null;
    if (fps !== null) this.#store.set({ fps });
  }

  #updateCounters(head: FrameHead): void {
    const isRealTime = this.#pace.kind === "real-time";
    this.#store.set({
      score: head.score,
      lives: head.lives < 0 ? null : head.lives,
      seconds: this.#pace.kind === "real-time" ? Math.floor(head.frame / this.#pace.hz) : 0,
      steps: isRealTime ? 0 : head.frame,
    });
  }

  #onControlChange(change: ControlChange): void {
    if (this.#phase.kind === "playing") this.#sendInput(change);
  }

  #sendInput(change: ControlChange): void {
    this.#driver.sendInput(change, this.#painter.frameAt(change.at));
  }

  /** Releases all held controls in the game, although the player still holds them. */
  #releaseInputs(): void {
    if (this.#phase.kind !== "playing") return;
    const at = this.#platform.now();
    for (const held of this.#controls.held()) this.#sendInput({ ...held, down: false, at });
  }

  /**
   * Presses the controls again that were held during the countdown. In a turn-based game each step
   * needs a new press.
   */
  #resendHeldInputs(): void {
    if (this.#pace.kind !== "real-time") return;
    for (const held of this.#controls.held()) this.#sendInput(held);
  }
}
