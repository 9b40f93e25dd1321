import { i18n } from "@/lib/i18n";
import type { ClientMessage, ServerMessage, Welcome } from "@/wire/messages";
import { newFrameHead, type Picture, type Rectangle } from "@/wire/packet";

import type { DriverEvents, GameInfo, PlayMode } from "../driver";
import type { ControlChange } from "../input/held-controls";
import type { Cancel } from "../platform";
import { UnackedSteps } from "./unacked-steps";
import { LockstepGame, type LockstepGameOptions } from "./lockstep-game";
import type { Observation } from "./messages";

type Started = Extract<ServerMessage, { type: "started" }>;
type Ticked = Extract<ServerMessage, { type: "ticked" }>;

/**
 * Interval at which steps are sent. Short enough to keep the server close behind, long enough to
 * let it sleep in between.
 */
const SEND_INTERVAL_MS = 100;
/** Limit of `shown.frames` in wire/SPEC.md. */
const MAX_REPORTED_FRAMES = 600;
const OFFLINE_MESSAGE = /*i18n*/ "The connection was lost. Your game is paused. Reconnecting…";

/** Functions that the remote driver provides. */
export interface LockstepHooks {
  send: (message: ClientMessage) => void;
  /** Reports an observation to the paint reporter. */
  onFrameReceived: (frame: number) => void;
  events: () => DriverEvents | null;
}

type Options = LockstepGameOptions & LockstepHooks;

/**
 * Lockstep: the page runs the game, and the server repeats its steps (wire/SPEC.md, L1 to L7).
 *
 * While it is active, the remote driver passes what the player does to it instead of to the server.
 */
export class LockstepController implements PlayMode {
  readonly #options: Options;
  readonly #game: LockstepGame;
  #unackedSteps = new UnackedSteps();
  #maxAwayMs = 0;
  #countsLives = false;
  #gameInfo: GameInfo = {
    width: 0,
    height: 0,
    sound_hz: null,
    ghost: null,
    recorded: true,
    watchable: false,
  };
  /** True if the next `started` answers a request for lockstep. */
  #lockstepRequested = false;
  /** Id of the active lockstep episode, or null. */
  #episode: string | null = null;
  #score = 0;
  #isOver = false;
  #isConnected = false;
  /** Time of the server's last acknowledgement, or of the last resume. */
  #serverSeenAt = 0;
  #isLeaving = false;
  #attempt = 1;
  #pendingPaints: (readonly [number, number])[] = [];
  #timer: Cancel | null = null;
  readonly #changed: Rectangle = { x: 0, y: 0, width: 0, height: 0 };
  readonly #head = newFrameHead();

  constructor(options: Options) {
    this.#options = options;
    this.#game = new LockstepGame(options, {
      began: (seen, picture) => this.#showObservation(seen, picture, false),
      step: (step, picture) => {
        if (this.#episode === null) return;
        this.#unackedSteps.add(step);
        this.#score += step.reward;
        this.#isOver = step.terminated || step.truncated;
        this.#head.terminated = step.terminated;
        this.#head.truncated = step.truncated;
        this.#showObservation(step, picture, this.#isOver);
        if (step.sound !== null) options.events()?.sound(step.frame, step.sound);
        if (this.#isOver) this.#flush();
        else this.#scheduleFlush();
        this.#pauseWhenAway();
      },
      stalled: (ms) => this.#onStalled(ms),
      failed: (words) => this.#switchToStreamed(words),
    });
  }

  /** True while a lockstep episode is active. */
  get isActive(): boolean {
    return this.#episode !== null;
  }

  /** Handles a welcome. Returns true if the active episode continues in this page. */
  continueAfterWelcome(welcome: Welcome): boolean {
    this.#gameInfo = welcome;
    if (welcome.lockstep !== null) {
      this.#maxAwayMs = welcome.lockstep.away_ms;
      this.#countsLives = welcome.lockstep.counts_lives;
      this.#game.prepare(welcome.lockstep);
    }
    if (this.#episode === null) return false;
    const isRunning = welcome.phase === "playing" || welcome.phase === "paused";
    if (isRunning && welcome.episode === this.#episode) return true;
    this.endEpisode();
    return false;
  }

  onTicked({ n_steps: count, digest }: Ticked): void {
    if (this.#episode !== null && !this.#unackedSteps.acknowledge(count, digest))
      this.#switchToStreamed(/*i18n*/ "The server’s result differs from the page’s.");
  }

  /** Handles the loss of the connection. Returns true if the game runs on without it. */
  continueAfterDisconnect(attempt: number): boolean {
    if (this.#episode === null) return false;
    this.#isConnected = false;
    this.#attempt = attempt;
    return this.#game.isRunning;
  }

  /** Returns how the next episode is played, to be asked for. */
  chooseMode(): "lockstep" | "streamed" {
    this.#lockstepRequested = this.#game.isReady;
    return this.#lockstepRequested ? "lockstep" : "streamed";
  }

  sendInput(change: ControlChange, frame: number | null): void {
    if (this.#game.isRunning) this.#game.input({ ...change, frame });
  }

  /** Sets whether steps include sound. */
  setAudioEnabled = (on: boolean): void => this.#game.setAudioEnabled(on);

  pause(at: number): void {
    this.#game.stop(() => this.#sendAfterSteps({ type: "pause", at }));
  }

  resume(at: number): void {
    if (!this.#isConnected) {
      this.#options
        .events()
        ?.reconnecting(this.#attempt, i18n._(OFFLINE_MESSAGE), "connection-lost");
      return;
    }
    this.#sendAfterSteps({ type: "resume", at });
    this.#serverSeenAt = at;
    this.#game.resume();
    this.#options.events()?.resumed();
  }

  leave(at: number): void {
    this.#isLeaving = true;
    this.#game.stop(() => this.#sendAfterSteps({ type: "leave", at }));
  }

  /** Reports painted frames, after the steps that led to them. Keeps them while disconnected. */
  reportPaints(received: number, frames: readonly (readonly [number, number])[]): void {
    this.#pendingPaints.push(...frames);
    if (!this.#isConnected) return;
    this.#flush();
    while (this.#pendingPaints.length > 0) {
      const frames = this.#pendingPaints.splice(0, MAX_REPORTED_FRAMES);
      this.#options.send({ type: "shown", received, frames });
    }
  }

  /** Handles the start of an episode. Returns true if it is the active one, which continues. */
  continueAfterStarted({ episode, lockstep }: Started): boolean {
    const wasRequested = this.#lockstepRequested;
    this.#lockstepRequested = false;
    if (lockstep === null) {
      this.#episode = null;
      return false;
    }
    if (episode === this.#episode) {
      this.#isConnected = true;
      this.#serverSeenAt = this.#options.platform.now();
      if (this.#unackedSteps.rewindTo(lockstep.n_steps)) this.#resynchronize();
      else this.#switchToStreamed(/*i18n*/ "Some steps did not reach the server.");
      return true;
    }
    if (!wasRequested) {
      this.#options.send(this.#streamMessage(i18n._("The page was reloaded.")));
      return false;
    }
    this.#episode = episode;
    this.#unackedSteps = new UnackedSteps();
    this.#score = 0;
    this.#isOver = this.#isLeaving = false;
    this.#isConnected = true;
    this.#pendingPaints = [];
    Object.assign(this.#head, { terminated: false, truncated: false });
    this.#game.begin(lockstep.ale_seed);
    return false;
  }

  close(): void {
    this.endEpisode();
    this.#game.close();
  }

  /** After a reconnect, sends the missing steps. A game that does not run waits for its player. */
  #resynchronize(): void {
    const { platform } = this.#options;
    this.#flush();
    this.reportPaints(this.#head.frame, []);
    if (this.#game.isRunning || this.#isOver) return;
    const at = platform.now();
    this.#sendAfterSteps(this.#isLeaving ? { type: "leave", at } : { type: "pause", at });
    if (!this.#isLeaving) this.#options.events()?.welcome("paused", this.#gameInfo);
  }

  #showObservation(
    { frame, lives, width, height }: Observation,
    picture: Picture,
    last: boolean,
  ): void {
    const head = this.#head;
    head.frame = frame;
    head.score = this.#score;
    head.lives = this.#countsLives ? lives : -1;
    head.last = last;
    Object.assign(this.#changed, { width, height });
    this.#options.onFrameReceived(frame);
    this.#options.events()?.picture(head, picture, this.#changed);
  }

  #scheduleFlush(): void {
    this.#timer ??= this.#options.platform.after(SEND_INTERVAL_MS, () => this.#flush());
  }

  /** Sends all unsent steps. */
  #flush(): void {
    this.#timer?.();
    this.#timer = null;
    if (!this.#isConnected) return;
    for (
      let ticks = this.#unackedSteps.nextMessage();
      ticks !== null;
      ticks = this.#unackedSteps.nextMessage()
    ) {
      this.#options.send(ticks);
    }
  }

  /** Sends a message after all steps that were taken. */
  #sendAfterSteps(message: ClientMessage): void {
    this.#flush();
    if (this.#isConnected) this.#options.send(message);
  }

  #pauseWhenAway(): void {
    const oldest = this.#unackedSteps.oldestAt;
    const { platform, events } = this.#options;
    if (oldest === null || !this.#game.isRunning) return;
    if (platform.now() - Math.max(oldest, this.#serverSeenAt) <= this.#maxAwayMs) return;
    this.#game.stop(() => {
      this.#sendAfterSteps({ type: "pause", at: platform.now() });
      if (!this.#isConnected)
        events()?.reconnecting(this.#attempt, i18n._(OFFLINE_MESSAGE), "connection-lost");
      else events()?.paused("connection");
    });
  }

  #onStalled(ms: number): void {
    const { platform, events } = this.#options;
    this.#sendAfterSteps({ type: "pause", at: platform.now() });
    events()?.notice(
      i18n._("The game is paused because it stalled for {seconds} s.", {
        seconds: i18n.number(ms / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
      }),
    );
    if (this.#isConnected) events()?.paused("player");
    else events()?.reconnecting(this.#attempt, i18n._(OFFLINE_MESSAGE), "connection-lost");
  }

  /**
   * Switches to streaming: the server continues from the last step that it has. `reason` is the id of
   * a text, or an error message.
   */
  #switchToStreamed(reason: string): void {
    if (this.#episode === null) return;
    this.#options.events()?.notice(
      i18n._("Lockstep stopped, and the game is now streamed. {reason}", {
        reason: i18n._(reason),
      }),
    );
    this.#options.events()?.steppedBy("server");
    this.#sendAfterSteps(this.#streamMessage(reason));
    this.endEpisode();
  }

  #streamMessage(reason: string): ClientMessage {
    return { type: "stream", at: this.#options.platform.now(), reason: reason.slice(0, 200) };
  }

  /** Forgets the lockstep episode. */
  endEpisode(): void {
    this.#game.stop();
    this.#episode = null;
    this.#pendingPaints = [];
    this.#timer?.();
    this.#timer = null;
  }
}
