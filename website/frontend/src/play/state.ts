import type { Ended, FocusState, Setup } from "@/wire/messages";

import type { CloseReason, ReconnectCause, SteppedBy } from "./driver";
import type { InputSink } from "./input/held-controls";
import type { KeyUse } from "./input/keyboard";
import type { Cancel } from "./platform";
import type { Volume } from "./sound/speaker";
import type { ReadableStore } from "./store";

/** Phase of the game. Each phase has only the fields that exist in it. */
export type Phase =
  | { kind: "connecting" }
  | { kind: "ready" }
  | { kind: "countdown"; beatsLeft: number; then: "start" | "resume" }
  | { kind: "starting" }
  | { kind: "playing" }
  | { kind: "paused"; reason: "player" | "focus" | "connection" }
  /** With `thenRestart`, the next episode starts when this one has ended on the server. */
  | { kind: "leaving"; thenRestart: boolean }
  | {
      kind: "ended";
      episode: string;
      status: Ended["status"];
      reason: string;
      score: number;
      steps: number;
    }
  | {
      kind: "reconnecting";
      attempt: number;
      message: string;
      cause: ReconnectCause;
      episodeActive: boolean;
    }
  /** The page has reconnected, but the episode no longer exists. */
  | { kind: "episode-lost" }
  | { kind: "closed"; closeReason: CloseReason };

export interface Snapshot {
  phase: Phase;
  score: number;
  /** null if the game has no lives. */
  lives: number | null;
  /** Whole seconds of game time; 0 in a turn-based game. */
  seconds: number;
  /** Number of steps in a turn-based game; 0 in real time. */
  steps: number;
  /** Size of the picture in pixels; null before the welcome. */
  size: { width: number; height: number } | null;
  /** True if the game has sound. */
  hasSound: boolean;
  /** Round trip to the server in whole milliseconds; null before the first pong. */
  latencyMs: number | null;
  /** Who runs the game, or ran it last; null before the first episode. */
  steppedBy: SteppedBy | null;
  /** Frames painted in the last whole second; null in the first second and in turn-based games. */
  fps: number | null;
  notice: { id: number; text: string } | null;
}

export type Pace = { kind: "real-time"; hz: number } | { kind: "turn-based" };

/** Interface of the engine for the page. */
export interface Engine extends ReadableStore<Snapshot> {
  readonly input: InputSink;
  /** How the game uses its keys in the current phase. */
  keyUse: () => KeyUse;
  attach: (canvas: HTMLCanvasElement) => Cancel;
  open: () => void;
  /** Starts an episode. */
  start: () => void;
  pause: () => void;
  resume: () => void;
  leave: () => void;
  /** Ends the current episode and starts another. */
  restart: () => void;
  /** Updates the player's setup, which is recorded. */
  updateSetup: (updateSetup: Setup) => void;
  /** Sets the volume; null mutes the game. */
  setVolume: (setVolume: Volume) => void;
  reportFocus: (state: FocusState, at: number) => void;
  reconnectNow: () => void;
  close: () => void;
}
