import type { Ended, FocusState, Setup } from "@/wire/messages";
import type { FrameHead, Picture } from "@/wire/packet";

import type { Driver } from "./driver";
import { Controls, type ControlChange, type InputSink } from "./input/controls";
import type { KeyUse } from "./input/keyboard";
import { Painter } from "./painter";
import type { Cancel, Platform } from "./platform";
import { Rate } from "./rate";
import { GameSpeaker, type Loudness, type OpenOutput, type Speaker } from "./sound/speaker";
import type { Engine, Pace, Phase, Snapshot } from "./state";
import { Store } from "./store";

export type { Engine, Pace, Phase, Snapshot } from "./state";

const BEATS = 3;
const BEAT_MS = 600;
/** Phases in which there is, or is about to be, something to hear. */
const RUNNING: ReadonlySet<Phase["kind"]> = new Set(["countdown", "starting", "playing"]);
const FRESH = { score: 0, lives: null, seconds: 0, moves: 0 } as const;

/** Joins driver, painter and input sources to one game with one state that a page can watch. */
export class GameEngine implements Engine {
  readonly #platform: Platform;
  readonly #driver: Driver;
  readonly #pace: Pace;
  readonly #painter: Painter;
  readonly #controls: Controls;
  readonly #speaker: Speaker;
  readonly #store = new Store<Snapshot>({
    phase: { kind: "connecting" },
    ...FRESH,
    size: null,
    audible: false,
    delayMs: null,
    steppedBy: null,
    rate: null,
    notice: null,
  });
  readonly #rate = new Rate();
  #beat: Cancel | null = null;
  /** An episode is under way on the server. */
  #underway = false;
  /** The one that is being left is to be followed by another. */
  #again = false;
  #notices = 0;
  /** What the next episode begins with, until it is on the screen. */
  #ahead: Picture | null = null;
  readonly getSnapshot = this.#store.getSnapshot;
  readonly subscribe = this.#store.subscribe;

  constructor(platform: Platform, driver: Driver, pace: Pace, openOutput: OpenOutput) {
    this.#platform = platform;
    this.#speaker = new GameSpeaker(openOutput, (words) => {
      this.#store.set({ audible: false });
      this.#tell(words);
    });
    this.#driver = driver;
    this.#pace = pace;
    this.#painter = new Painter(platform, (frame, at) => this.#painted(frame, at));
    this.#controls = new Controls((change) => this.#changed(change));
  }

  get input(): InputSink {
    return this.#controls;
  }

  keys = (): KeyUse => {
    switch (this.#phase.kind) {
      case "playing":
      case "countdown":
      case "starting":
        return "taken";
      case "paused":
      case "leaving":
      case "ended":
        return "guarded";
      default:
        return "free";
    }
  };

  attach = (canvas: HTMLCanvasElement): Cancel => this.#painter.attach(canvas);

  open(): void {
    this.#driver.open({
      welcome: (phase, { width, height, sound_hz: hz }) => {
        this.#store.set({ size: { width, height }, audible: hz !== null });
        this.#speaker.tune(hz);
        this.#welcomed(phase);
      },
      started: () => this.#started(),
      stepped: (by) => this.#store.set({ steppedBy: by }),
      ahead: (picture) => {
        this.#ahead = picture;
        const { kind } = this.#phase;
        // How a game has ended stays on the screen until the next one is asked for.
        if (kind !== "ended" && kind !== "gone") this.#lookAhead();
      },
      picture: (head, picture, changed) => {
        this.#painter.show(picture, head, changed);
        this.#count(head);
      },
      sound: (frame, samples) => this.#speaker.play(frame, samples),
      paused: (reason) => {
        if (this.#phase.kind === "playing") this.#go({ kind: "paused", why: reason });
      },
      resumed: () => this.#resumed(),
      ended: (ended) => this.#ended(ended),
      notice: (text) => this.#tell(text),
      delay: (ms) => this.#store.set({ delayMs: Math.round(ms) }),
      broken: (attempt, words) => {
        this.#go({ kind: "broken", attempt, words, playing: this.#underway });
        this.#store.set({ delayMs: null });
      },
      closed: (closing) => {
        this.#underway = false;
        this.#go({ kind: "closed", closing });
      },
    });
  }

  start(): void {
    const { kind } = this.#phase;
    if (kind !== "ready" && kind !== "ended" && kind !== "gone") return;
    this.#lookAhead();
    if (this.#pace.kind === "real-time") this.#countDown(BEATS, "start");
    else this.#begin();
  }

  pause = (): void => this.#freeze("player");

  resume(): void {
    if (this.#phase.kind !== "paused") return;
    if (this.#pace.kind === "real-time") this.#countDown(BEATS, "resume");
    else this.#driver.resume(this.#platform.now());
  }

  setup = (setup: Setup): void => this.#driver.setup(setup);

  loudness = (loudness: Loudness): void => this.#speaker.set(loudness);

  restart(): void {
    if (!this.#underway) return;
    this.#again = true;
    this.leave();
  }

  leave(): void {
    if (!this.#underway) return;
    this.#letGo();
    this.#driver.leave(this.#platform.now());
    this.#go({ kind: "leaving", again: this.#again });
  }

  /** Keys that go up while the window is away are never heard of, so they are released first. */
  focus(state: FocusState, at: number): void {
    const away = state === "blur" || state === "hidden";
    if (away) this.#controls.releaseAll(at);
    this.#driver.focus(state, at);
    if (away && this.#pace.kind === "real-time") this.#freeze("focus");
  }

  hurry = (): void => this.#driver.hurry();

  close(): void {
    this.#stopCounting();
    this.#driver.close();
    this.#painter.close();
    this.#speaker.close();
  }

  get #phase(): Phase {
    return this.#store.getSnapshot().phase;
  }

  #go(phase: Phase): void {
    this.#stopCounting();
    this.#speaker.run(RUNNING.has(phase.kind));
    this.#store.set({ phase });
  }

  #tell(text: string): void {
    this.#store.set({ notice: { id: ++this.#notices, text } });
  }

  #welcomed(phase: "ready" | "playing" | "paused" | "ended"): void {
    this.#again = false;
    const lost = this.#underway && (phase === "ready" || phase === "ended");
    this.#underway = phase === "playing" || phase === "paused";
    if (lost) this.#go({ kind: "gone" });
    else if (phase === "paused") this.#go({ kind: "paused", why: "connection" });
    else if (phase === "playing") this.#go({ kind: "starting" });
    else this.#go({ kind: "ready" });
  }

  /** Put on the screen what the next episode begins with. */
  #lookAhead(): void {
    if (this.#ahead !== null && !this.#underway) this.#painter.preview(this.#ahead);
    this.#ahead = null;
  }

  #begin(): void {
    this.#go({ kind: "starting" });
    this.#driver.start(this.#platform.now());
  }

  #started(): void {
    this.#painter.forget();
    if (this.#phase.kind === "paused") return;
    this.#underway = true;
    this.#store.set(FRESH);
    this.#go({ kind: "playing" });
    this.#pressHeld();
  }

  #resumed(): void {
    const { kind } = this.#phase;
    if (kind !== "paused" && kind !== "starting") return;
    this.#go({ kind: "playing" });
    this.#pressHeld();
  }

  #ended({ episode, status, reason, score, n_steps: steps }: Ended): void {
    this.#underway = false;
    this.#store.set({ score });
    this.#go({ kind: "ended", episode, status, reason, score, steps });
    if (!this.#again) return;
    this.#again = false;
    this.start();
  }

  /** Stop a real-time game. A countdown that is cut short is over as well. */
  #freeze(why: "player" | "focus"): void {
    const phase = this.#phase;
    if (phase.kind === "countdown") {
      this.#go(phase.then === "start" ? { kind: "ready" } : { kind: "paused", why });
    } else if (phase.kind === "playing") {
      this.#letGo();
      this.#driver.pause(this.#platform.now());
      this.#go({ kind: "paused", why });
    }
  }

  #countDown(left: number, then: "start" | "resume"): void {
    this.#go({ kind: "countdown", left, then });
    this.#beat = this.#platform.after(BEAT_MS, () => {
      if (left > 1) {
        this.#countDown(left - 1, then);
      } else if (then === "start") {
        this.#begin();
      } else {
        this.#go({ kind: "starting" });
        this.#driver.resume(this.#platform.now());
      }
    });
  }

  #stopCounting(): void {
    this.#beat?.();
    this.#beat = null;
  }

  #painted(frame: number, at: number): void {
    this.#driver.painted(frame, at);
    const rate = this.#pace.kind === "real-time" ? this.#rate.add(at) : null;
    if (rate !== null) this.#store.set({ rate });
  }

  #count(head: FrameHead): void {
    const realTime = this.#pace.kind === "real-time";
    this.#store.set({
      score: head.score,
      lives: head.lives < 0 ? null : head.lives,
      seconds: this.#pace.kind === "real-time" ? Math.floor(head.frame / this.#pace.hz) : 0,
      moves: realTime ? 0 : head.frame,
    });
  }

  #changed(change: ControlChange): void {
    if (this.#phase.kind === "playing") this.#send(change);
  }

  #send(change: ControlChange): void {
    this.#driver.input(change, this.#painter.frameAt(change.at));
  }

  /** Fingers stay where they are, but to the game the controls go up. */
  #letGo(): void {
    if (this.#phase.kind !== "playing") return;
    const at = this.#platform.now();
    for (const held of this.#controls.held()) this.#send({ ...held, down: false, at });
  }

  /** Who held a key through the countdown means it. A turn must be pressed anew. */
  #pressHeld(): void {
    if (this.#pace.kind !== "real-time") return;
    for (const held of this.#controls.held()) this.#send(held);
  }
}
