import type { Ended, FocusState, Setup, Welcome } from "@/wire/messages";
import type { FrameHead, Picture, Rectangle } from "@/wire/packet";

import type { ControlChange } from "./input/held-controls";

/** Why one cannot play any more, in words, and what may help. */
export interface CloseReason {
  message: string;
  /** again: opening the game anew may work; sign-in: the person must sign in first; none: neither. */
  help: "reopen" | "sign-in" | "none";
  /** Over the words, and on the button that opens the game anew, where there is something better to say. */
  title?: string;
  actionLabel?: string;
}

/** page: this page does, and the server takes the same steps; server: it sends pictures. */
export type SteppedBy = "page" | "server";

/** What is known of a game before it is played. */
export type GameInfo = Pick<Welcome, "width" | "height" | "sound_hz">;

/** What a driver tells the engine. Pictures are read at once: their memory is used again. */
export interface DriverEvents {
  welcome: (phase: Welcome["phase"], told: GameInfo) => void;
  started: (episode: string) => void;
  /** Who steps the game from here on. */
  steppedBy: (by: SteppedBy) => void;
  /** What the next episode will begin with. Its memory stays as it is. */
  preview: (picture: Picture) => void;
  picture: (head: FrameHead, picture: Picture, changed: Rectangle) => void;
  /** What the step to this observation sounds like; nobody else reads the samples. */
  sound: (frame: number, samples: Uint8Array<ArrayBuffer>) => void;
  paused: (reason: "player" | "connection") => void;
  resumed: () => void;
  ended: (ended: Ended) => void;
  notice: (text: string) => void;
  /** Round trip to the server, milliseconds. */
  latency: (ms: number) => void;
  /** The way to the server is broken; the driver mends it by itself. */
  reconnecting: (attempt: number, words: string) => void;
  closed: (closing: CloseReason) => void;
}

/** Who steps the game: a server far away, or this page in lockstep with it (remote/). The engine does not notice. */
export interface Driver {
  open: (events: DriverEvents) => void;
  /** How the person is set up to play: told to each server that is met, and again at each change. */
  updateSetup: (updateSetup: Setup) => void;
  start: (at: number) => void;
  /** `frame`: observation that was on the screen at `change.at`. */
  sendInput: (change: ControlChange, frame: number | null) => void;
  /** This observation was painted at this animation frame's time. */
  painted: (frame: number, at: number) => void;
  pause: (at: number) => void;
  resume: (at: number) => void;
  leave: (at: number) => void;
  reportFocus: (state: FocusState, at: number) => void;
  /** Try to mend a broken way now rather than later. */
  reconnectNow: () => void;
  /** Let go of everything. Calling it twice does no harm. */
  close: () => void;
}
