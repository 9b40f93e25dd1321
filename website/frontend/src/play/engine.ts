import type { AgentSetup, Reason, Ended, FocusState, Setup } from "@/wire/messages";
import type { FrameHead, Picture } from "@/wire/packet";

import type { Driver } from "./driver";
import { HeldControls, type ControlChange, type InputSink } from "./input/held-controls";
import type { KeyUse } from "./input/keyboard";
import { Painter } from "./painter";
import type { Cancel, Platform } from "./platform";
import { FrameRateCounter } from "./frame-rate";
import { GameSpeaker, type Volume, type OpenAudioOutput, type Speaker } from "./sound/speaker";
import { hasEpisode, isRestarting, nextPhase, type Phase, type PhaseEvent } from "./phase";
import type { Engine, Pace, Snapshot } from "./state";
import { Store } from "./store";

export type { Phase } from "./phase";
export type { Engine, Pace, Snapshot } from "./state";

const COUNTDOWN_BEATS = 3;
const COUNTDOWN_BEAT_MS = 600;
/** Phases in which the game plays sound or is about to. */
const AUDIBLE_PHASES: ReadonlySet<Phase["kind"]> = new Set(["countdown", "starting", "playing"]);
const NOT_WATCHABLE = { token: null, n_watchers: 0 } as const;
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
    actor: null,
    notice: null,
    ghost: null,
    isRecorded: true,
    canBeWatched: false,
    watchable: NOT_WATCHABLE,
  });
  readonly #frameRate = new FrameRateCounter();
  #countdownTimer: Cancel | null = null;
  #noticeCount = 0;
  /** Preview of the next episode, until it is painted. */
  #preview: Picture | null = null;
  readonly #paintListeners = new Set<(frame: number) => void>();
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

  watchPaints = (listener: (frame: number) => void): Cancel => {
    this.#paintListeners.add(listener);
    return () => this.#paintListeners.delete(listener);
  };

  open(): void {
    this.#driver.open({
      welcome: (phase, { width, height, sound_hz: hz, ghost, recorded, watchable }) => {
        this.#store.set({
          size: { width, height },
          hasSound: hz !== null,
          ghost,
          isRecorded: recorded,
          canBeWatched: watchable,
          watchable: NOT_WATCHABLE,
          actor: null,
        });
        this.#speaker.setSampleRate(hz);
        this.#apply({ type: "welcomed", phase });
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
      paused: (reason) => this.#apply({ type: "paused", reason }),
      resumed: () => this.#onResumed(),
      ended: (ended) => this.#onEnded(ended),
      caption: (caption) => this.#store.set({ caption }),
      actor: (actor) => this.#store.set({ actor }),
      notice: (text) => this.#showNotice(text),
      watchable: ({ token, n_watchers }) => this.#store.set({ watchable: { token, n_watchers } }),
      latency: (ms) => this.#store.set({ latencyMs: Math.round(ms) }),
      reconnecting: (attempt, message, cause) => {
        this.#apply({ type: "reconnecting", attempt, message, cause });
        this.#store.set({ latencyMs: null });
      },
      closed: (closeReason) => this.#apply({ type: "closed", closeReason }),
    });
  }

  start(): void {
    if (!this.#apply({ type: "start", beats: this.#beats })) return;
    this.#showPreview();
    this.#proceed();
  }

  pause = (): void => this.#pauseFor("player");

  resume(): void {
    if (this.#apply({ type: "resume", beats: this.#beats })) this.#proceed();
  }

  updateSetup = (setup: Setup): void => this.#driver.updateSetup(setup);

  setUpAgent = (setup: AgentSetup): void => this.#driver.setUpAgent(setup);

  giveReason = (reason: Reason): void => this.#driver.giveReason(reason, this.#platform.now());

  setVolume = (loudness: Volume): void => this.#speaker.setVolume(loudness);

  restart = (): void => this.#leave({ thenRestart: true });

  leave = (): void => this.#leave({ thenRestart: false });

  /** Releases all keys on blur, because the window receives no keyup events without focus. */
  reportFocus(state: FocusState, at: number): void {
    const isAway = state === "blur" || state === "hidden";
    if (isAway) this.#controls.releaseAll(at);
    this.#driver.reportFocus(state, at);
    if (isAway && this.#runsByItself) this.#pauseFor("focus");
  }

  setWatchable = (allowed: boolean): void =>
    this.#driver.setWatchable(allowed, this.#platform.now());

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

  get #beats(): number {
    return this.#pace.kind === "real-time" ? COUNTDOWN_BEATS : 0;
  }

  /** Whether steps are taken without the player: in real time, or by an agent. */
  get #runsByItself(): boolean {
    return this.#pace.kind === "real-time" || this.getSnapshot().actor !== null;
  }

  /** Enters the phase that follows from an event. Returns false if it changes nothing. */
  #apply(event: PhaseEvent): boolean {
    const phase = nextPhase(this.#phase, event);
    if (phase === this.#phase) return false;
    this.#cancelCountdown();
    this.#speaker.setRunning(AUDIBLE_PHASES.has(phase.kind));
    this.#store.set({ phase });
    return true;
  }

  /** Waits for the next beat of a countdown, or asks the server for what comes after the last. */
  #proceed(): void {
    const phase = this.#phase;
    if (phase.kind === "countdown") {
      this.#countdownTimer = this.#platform.after(COUNTDOWN_BEAT_MS, () => {
        this.#apply({ type: "beat" });
        this.#proceed();
      });
    } else if (phase.kind === "starting") {
      const at = this.#platform.now();
      if (phase.then === "start") this.#driver.start(at);
      else this.#driver.resume(at);
    }
  }

  #leave({ thenRestart }: { thenRestart: boolean }): void {
    if (!hasEpisode(this.#phase)) return;
    this.#releaseInputs();
    this.#driver.leave(this.#platform.now());
    this.#apply({ type: "leave", thenRestart });
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

  /** Paints the preview of the next episode. */
  #showPreview(): void {
    if (this.#preview !== null && !hasEpisode(this.#phase))
      this.#painter.showPreview(this.#preview);
    this.#preview = null;
  }

  #onStarted(): void {
    this.#painter.reset();
    if (!this.#apply({ type: "started" })) return;
    this.#store.set(INITIAL_COUNTERS);
    this.#resendHeldInputs();
  }

  #onResumed(): void {
    if (this.#apply({ type: "resumed" })) this.#resendHeldInputs();
  }

  #onEnded({ episode, status, reason, score: text, n_steps: steps }: Ended): void {
    const score = Number(text);
    const restarts = isRestarting(this.#phase);
    this.#store.set({ score });
    this.#apply({ type: "ended", ended: { episode, status, reason, score, steps } });
    if (restarts) this.start();
  }

  /** Pauses a game, or cancels its countdown. */
  #pauseFor(reason: "player" | "focus"): void {
    if (this.#phase.kind === "playing") {
      this.#releaseInputs();
      this.#driver.pause(this.#platform.now());
    }
    this.#apply({ type: "pause", reason });
  }

  #cancelCountdown(): void {
    this.#countdownTimer?.();
    this.#countdownTimer = null;
  }

  #onPainted(frame: number, at: number): void {
    this.#driver.painted(frame, at);
    const fps = this.#pace.kind === "real-time" ? this.#frameRate.add(at) : null;
    if (fps !== null) this.#store.set({ fps });
    for (const listener of this.#paintListeners) listener(frame);
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
