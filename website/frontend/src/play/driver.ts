import type {
  Actor,
  AgentSetup,
  Reason,
  Ended,
  FocusState,
  Setup,
  Watchable,
  Welcome,
} from "@/wire/messages";
import type { FrameHead, Picture, Rectangle } from "@/wire/packet";

import type { ControlChange } from "./input/held-controls";

/** Why the connection was closed for good, and what the player can do. */
export interface CloseReason {
  message: string;
  /**
   * reopen: opening the game again may work. sign-in: the player must sign in first. consent: the
   * player must answer what may be recorded. none: nothing helps.
   */
  help: "reopen" | "sign-in" | "consent" | "none";
  /** Heading and button label, if the default ones do not fit. */
  title?: string;
  actionLabel?: string;
}

/**
 * Why the page reconnects. websocket-blocked: the server answers over HTTP, but something on the
 * way blocks WebSockets.
 */
export type ReconnectCause = "connection-lost" | "moving" | "websocket-blocked";

/**
 * page: lockstep, this page runs the game and the server repeats its steps. server: streamed, the
 * server sends pictures.
 */
export type SteppedBy = "page" | "server";

/** Properties of a game that are known before an episode starts. */
export type GameInfo = Pick<
  Welcome,
  "width" | "height" | "sound_hz" | "ghost" | "recorded" | "watchable"
>;

/**
 * Events from the driver to the engine. A picture must be read during the call because its memory
 * is reused.
 */
export interface DriverEvents {
  welcome: (phase: Welcome["phase"], told: GameInfo) => void;
  started: (episode: string) => void;
  /** Reports who runs the game from now on. */
  steppedBy: (by: SteppedBy) => void;
  /** Preview: the first picture of the next episode. Its memory is not reused. */
  preview: (picture: Picture) => void;
  picture: (head: FrameHead, picture: Picture, changed: Rectangle) => void;
  /** Sound of the step that led to this observation. The engine owns the samples. */
  sound: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  paused: (reason: "player" | "connection") => void;
  resumed: () => void;
  ended: (ended: Ended) => void;
  /** The text beside the picture from now on. */
  caption: (text: string) => void;
  /** Who acts from now on, if an agent plays until the player takes over. */
  actor: (actor: Actor) => void;
  notice: (text: string) => void;
  /** Whether others may watch, and how many do. */
  watchable: (watchable: Watchable) => void;
  /** Round trip to the server in milliseconds. */
  latency: (ms: number) => void;
  /** The connection was lost. The driver reconnects by itself. */
  reconnecting: (attempt: number, message: string, cause: ReconnectCause) => void;
  closed: (closing: CloseReason) => void;
}

/** Where the player's actions in an episode go: to the server, or to the game in this page. */
export interface PlayMode {
  /** `frame` is the observation that was on the screen at `change.at`. */
  sendInput: (change: ControlChange, frame: number | null) => void;
  pause: (at: number) => void;
  resume: (at: number) => void;
  leave: (at: number) => void;
  /** Reports the paints of frames, with their times, and the newest frame that was received. */
  reportPaints: (received: number, frames: readonly (readonly [number, number])[]) => void;
}

/**
 * Runs a game for the engine: streamed from the server, or in lockstep in this page (see remote/).
 * The engine does not need to know which.
 */
export interface Driver extends Omit<PlayMode, "reportPaints"> {
  open: (events: DriverEvents) => void;
  /** Sets the player's setup. It is sent to the server after each welcome and at each change. */
  updateSetup: (updateSetup: Setup) => void;
  /** Sets how the agent plays. It is sent after each welcome and at each change. */
  setUpAgent: (setup: AgentSetup) => void;
  /** Says why the player took over from the agent. */
  giveReason: (reason: Reason, at: number) => void;
  start: (at: number) => void;
  /** Reports that this observation was painted at the time of this animation frame. */
  painted: (frame: number, at: number) => void;
  reportFocus: (state: FocusState, at: number) => void;
  /** Lets others watch, or ends it. */
  setWatchable: (allowed: boolean, at: number) => void;
  /** Reconnects immediately instead of waiting for the next retry. */
  reconnectNow: () => void;
  /** Closes the connection and releases all resources. Idempotent. */
  close: () => void;
}
