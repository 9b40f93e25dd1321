import type { Ended, FocusState, Setup } from "@/wire/messages";

import type { CloseReason, SteppedBy } from "./driver";
import type { InputSink } from "./input/held-controls";
import type { KeyUse } from "./input/keyboard";
import type { Cancel } from "./platform";
import type { Volume } from "./sound/speaker";
import type { ReadableStore } from "./store";

/** Where the game stands. Each state holds only what exists in it. */
export type Phase =
  | { kind: "connecting" }
  | { kind: "ready" }
  | { kind: "countdown"; beatsLeft: number; then: "start" | "resume" }
  | { kind: "starting" }
  | { kind: "playing" }
  | { kind: "paused"; reason: "player" | "focus" | "connection" }
  /** `again`: the next one begins as soon as this one is on record. */
  | { kind: "leaving"; thenRestart: boolean }
  | {
      kind: "ended";
      episode: string;
      status: Ended["status"];
      reason: string;
      score: number;
      steps: number;
    }
  | { kind: "reconnecting"; attempt: number; message: string; episodeActive: boolean }
  /** Back again, but the game that was under way is not. */
  | { kind: "episode-lost" }
  | { kind: "closed"; closeReason: CloseReason };

export interface Snapshot {
  phase: Phase;
  score: number;
  /** null: the game counts none. */
  lives: number | null;
  /** Whole seconds of game time; 0 in a turn-based game. */
  seconds: number;
  /** Steps, in a turn-based game; 0 in real time. */
  steps: number;
  /** Size of the picture in its own pixels; null until the server has said it. */
  size: { width: number; height: number } | null;
  /** The game has sound. */
  hasSound: boolean;
  /** Round trip to the server in whole milliseconds; null before the first. */
  latencyMs: number | null;
  /** Who steps the game, or did last; null before the first. */
  steppedBy: SteppedBy | null;
  /** Pictures painted in the last whole second; null while none has passed, and where the game waits for presses. */
  fps: number | null;
  notice: { id: number; text: string } | null;
}

export type Pace = { kind: "real-time"; hz: number } | { kind: "turn-based" };

/** What a page may do with a game. */
export interface Engine extends ReadableStore<Snapshot> {
  readonly input: InputSink;
  /** What the game does with its keys at the moment. */
  keyUse: () => KeyUse;
  attach: (canvas: HTMLCanvasElement) => Cancel;
  open: () => void;
  /** Begin an episode, the first or the next. */
  start: () => void;
  pause: () => void;
  resume: () => void;
  leave: () => void;
  /** Leave this one and begin another. */
  restart: () => void;
  /** How the person is set up to play, for the record. */
  updateSetup: (updateSetup: Setup) => void;
  /** How loud the person wants it; null: silent. */
  setVolume: (setVolume: Volume) => void;
  reportFocus: (state: FocusState, at: number) => void;
  reconnectNow: () => void;
  close: () => void;
}
