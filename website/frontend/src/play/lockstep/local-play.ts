import type { ClientMessage, ServerMessage, Welcome } from "@/wire/messages";
import { freshHead, type Picture, type Rectangle } from "@/wire/packet";

import type { DriverEvents, Told } from "../driver";
import type { ControlChange } from "../input/controls";
import type { Cancel } from "../platform";
import { Ledger } from "./ledger";
import { LocalGame, type LocalGameOptions } from "./local-game";
import type { Seen } from "./messages";

type Message = Exclude<ServerMessage, Welcome>;
type Started = Extract<ServerMessage, { type: "started" }>;

/** How often steps are sent: often enough that the server is close by, seldom enough that it can sleep between. */
const SEND_EVERY_MS = 100;
/** SPEC's `shown.frames`. */
const MOST_FRAMES = 600;
const ALONE = "The connection broke. Your game waits; trying again…";

/** What the remote driver gives. */
export interface LocalPlayHooks {
  send: (message: ClientMessage) => void;
  /** An observation has arrived: what was seen is reported up to it. */
  arrived: (frame: number) => void;
  events: () => DriverEvents | null;
}

type Options = LocalGameOptions & LocalPlayHooks;

/**
 * Lockstep: the page plays by itself and the server follows (wire/SPEC.md, L1 to L7).
 *
 * Sits in the remote driver. Each method answers whether it has dealt with the matter; if not, the game is streamed.
 */
export class LocalPlay {
  readonly #options: Options;
  readonly #game: LocalGame;
  #ledger = new Ledger();
  #awayMs = 0;
  #countsLives = false;
  #told: Told = { width: 0, height: 0, sound_hz: null };
  /** The next `started` is one that was asked for in lockstep. */
  #wanted = false;
  /** The lockstep episode that is under way. */
  #episode: string | null = null;
  #score = 0;
  #over = false;
  #linked = false;
  /** When the server last said where the game stands, or its player went on. */
  #heard = 0;
  #leaving = false;
  #attempt = 1;
  #kept: (readonly [number, number])[] = [];
  #timer: Cancel | null = null;
  readonly #changed: Rectangle = { x: 0, y: 0, width: 0, height: 0 };
  readonly #head = freshHead();

  constructor(options: Options) {
    this.#options = options;
    this.#game = new LocalGame(options, {
      began: (seen, picture) => this.#show(seen, picture, false),
      step: (step, picture) => {
        if (this.#episode === null) return;
        this.#ledger.add(step);
        this.#score += step.reward;
        this.#over = step.terminated || step.truncated;
        this.#head.terminated = step.terminated;
        this.#head.truncated = step.truncated;
        this.#show(step, picture, this.#over);
        if (step.sound !== null) options.events()?.sound(step.frame, step.sound);
        if (this.#over) this.#flush();
        else this.#arm();
        this.#freezeWhenAway();
      },
      stalled: (ms) => this.#stalled(ms),
      failed: (words) => this.#stream(words),
    });
  }

  /** A lockstep episode is under way. */
  get active(): boolean {
    return this.#episode !== null;
  }

  /** The server greets. True: a game goes on that the engine thinks is running; nothing is to be said. */
  greeted(welcome: Welcome): boolean {
    this.#told = welcome;
    if (welcome.lockstep !== null) {
      this.#awayMs = welcome.lockstep.away_ms;
      this.#countsLives = welcome.lockstep.counts_lives;
      this.#game.prepare(welcome.lockstep);
    }
    if (this.#episode === null) return false;
    const goesOn = welcome.phase === "playing" || welcome.phase === "paused";
    if (goesOn && welcome.episode === this.#episode) return true;
    this.#forget();
    return false;
  }

  take(message: Message): boolean {
    switch (message.type) {
      case "started":
        return this.#started(message);
      case "ticked":
        if (this.#episode !== null && !this.#ledger.acknowledge(message.n_steps, message.digest)) {
          this.#stream("The server followed to something else.");
        }
        return true;
      case "ended":
        this.#forget();
        return false;
      case "resumed":
        return this.#episode !== null;
      default:
        return false;
    }
  }

  broken(attempt: number): boolean {
    if (this.#episode === null) return false;
    this.#linked = false;
    this.#attempt = attempt;
    return this.#game.running;
  }

  start(at: number): boolean {
    this.#wanted = this.#game.ready;
    this.#options.send({ type: "start", at, mode: this.#wanted ? "lockstep" : "streamed" });
    return true;
  }

  input(change: ControlChange, frame: number | null): boolean {
    if (this.#episode === null) return false;
    if (this.#game.running) this.#game.input({ ...change, frame });
    return true;
  }

  /** Whether the game is to be heard. */
  hear = (on: boolean): void => this.#game.hear(on);

  pause(at: number): boolean {
    if (this.#episode === null) return false;
    this.#game.stop(() => this.#say({ type: "pause", at }));
    return true;
  }

  resume(at: number): boolean {
    if (this.#episode === null) return false;
    if (!this.#linked) {
      this.#options.events()?.broken(this.#attempt, ALONE);
      return true;
    }
    this.#say({ type: "resume", at });
    this.#heard = at;
    this.#game.go();
    this.#options.events()?.resumed();
    return true;
  }

  leave(at: number): boolean {
    if (this.#episode === null) return false;
    this.#leaving = true;
    this.#game.stop(() => this.#say({ type: "leave", at }));
    return true;
  }

  /** Frames that were painted: told after the steps that led to them, and kept while nobody is there to hear. */
  report(received: number, frames: readonly (readonly [number, number])[]): boolean {
    if (this.#episode === null) return false;
    this.#kept.push(...frames);
    if (!this.#linked) return true;
    this.#flush();
    while (this.#kept.length > 0) {
      const told = this.#kept.splice(0, MOST_FRAMES);
      this.#options.send({ type: "shown", received, frames: told });
    }
    return true;
  }

  close(): void {
    this.#forget();
    this.#game.close();
  }

  #started({ episode, lockstep }: Started): boolean {
    const wanted = this.#wanted;
    this.#wanted = false;
    if (lockstep === null) {
      this.#episode = null;
      return false;
    }
    if (episode === this.#episode) {
      this.#linked = true;
      this.#heard = this.#options.platform.now();
      if (this.#ledger.rewind(lockstep.n_steps)) this.#catchUp();
      else this.#stream("Steps between the page and the server are missing.");
      return true;
    }
    if (!wanted) {
      this.#options.send(this.#wish("The page was loaded anew."));
      return false;
    }
    this.#episode = episode;
    this.#ledger = new Ledger();
    this.#score = 0;
    this.#over = this.#leaving = false;
    this.#linked = true;
    this.#kept = [];
    Object.assign(this.#head, { terminated: false, truncated: false });
    this.#game.begin(lockstep.ale_seed);
    return false;
  }

  /** Back again: send what the server missed; a game that stands still waits for its player. */
  #catchUp(): void {
    const { platform } = this.#options;
    this.#flush();
    this.report(this.#head.frame, []);
    if (this.#game.running || this.#over) return;
    const at = platform.now();
    this.#say(this.#leaving ? { type: "leave", at } : { type: "pause", at });
    if (!this.#leaving) this.#options.events()?.welcome("paused", this.#told);
  }

  #show({ frame, lives, width, height }: Seen, picture: Picture, last: boolean): void {
    const head = this.#head;
    head.frame = frame;
    head.score = this.#score;
    head.lives = this.#countsLives ? lives : -1;
    head.last = last;
    Object.assign(this.#changed, { width, height });
    this.#options.arrived(frame);
    this.#options.events()?.picture(head, picture, this.#changed);
  }

  #arm(): void {
    this.#timer ??= this.#options.platform.after(SEND_EVERY_MS, () => this.#flush());
  }

  /** Send the steps that were not sent yet. */
  #flush(): void {
    this.#timer?.();
    this.#timer = null;
    if (!this.#linked) return;
    for (let ticks = this.#ledger.take(); ticks !== null; ticks = this.#ledger.take()) {
      this.#options.send(ticks);
    }
  }

  /** Send a message that stands after every step that was taken. */
  #say(message: ClientMessage): void {
    this.#flush();
    if (this.#linked) this.#options.send(message);
  }

  #freezeWhenAway(): void {
    const oldest = this.#ledger.oldest;
    const { platform, events } = this.#options;
    if (oldest === null || !this.#game.running) return;
    if (platform.now() - Math.max(oldest, this.#heard) <= this.#awayMs) return;
    this.#game.stop(() => {
      this.#say({ type: "pause", at: platform.now() });
      if (!this.#linked) events()?.broken(this.#attempt, ALONE);
      else events()?.paused("connection");
    });
  }

  #stalled(ms: number): void {
    const { platform, events } = this.#options;
    this.#say({ type: "pause", at: platform.now() });
    events()?.notice(
      `The game stood still for ${(ms / 1000).toFixed(1)} seconds, so it is paused.`,
    );
    if (this.#linked) events()?.paused("player");
    else events()?.broken(this.#attempt, ALONE);
  }

  /** The page can't go on by itself: the server does, from the last step that it has. */
  #stream(reason: string): void {
    if (this.#episode === null) return;
    this.#options.events()?.notice(`The game in your page stops. ${reason} The server goes on.`);
    this.#options.events()?.stepped("server");
    this.#say(this.#wish(reason));
    this.#forget();
  }

  #wish(reason: string): ClientMessage {
    return { type: "stream", at: this.#options.platform.now(), reason: reason.slice(0, 200) };
  }

  /** No lockstep episode is under way any more. */
  #forget(): void {
    this.#game.stop();
    this.#episode = null;
    this.#kept = [];
    this.#timer?.();
    this.#timer = null;
  }
}
