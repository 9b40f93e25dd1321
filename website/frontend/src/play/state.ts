import type {
  Actor,
  AgentSetup,
  Reason,
  FocusState,
  Setup,
  ShownGhost,
  Watchable,
} from "@/wire/messages";

import type { SteppedBy } from "./driver";
import type { InputSink } from "./input/held-controls";
import type { KeyUse } from "./input/keyboard";
import type { Phase } from "./phase";
import type { Cancel } from "./platform";
import type { Volume } from "./sound/speaker";
import type { ReadableStore } from "./store";

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
  /** Text beside the picture, such as a mission; null if the game has none. */
  caption: string | null;
  /** Who acts, if an agent plays until the player takes over; otherwise null. */
  actor: Actor | null;
  notice: { id: number; text: string } | null;
  /** Token of the link by which others watch, null if nobody may, and how many do. */
  watchable: Watchable;
  /** False if the player plays without recording, so that there is nothing to replay. */
  isRecorded: boolean;
  /** Whether the player's consent allows others to watch. */
  canBeWatched: boolean;
  /** The recorded episode that is shown; null if there is none. */
  ghost: ShownGhost | null;
}

export type Pace = { kind: "real-time"; hz: number } | { kind: "turn-based" };

/** Interface of the engine for the page. */
export interface Engine extends ReadableStore<Snapshot> {
  readonly input: InputSink;
  /** How the game uses its keys in the current phase. */
  keyUse: () => KeyUse;
  attach: (canvas: HTMLCanvasElement) => Cancel;
  /** Calls back with the number of each frame that was painted, after its paint was reported. */
  watchPaints: (listener: (frame: number) => void) => Cancel;
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
  /** Sets how the agent plays that acts until the player takes over. */
  setUpAgent: (setup: AgentSetup) => void;
  /** Says why the player took over from the agent. */
  giveReason: (reason: Reason) => void;
  /** Sets the volume; null mutes the game. */
  setVolume: (setVolume: Volume) => void;
  reportFocus: (state: FocusState, at: number) => void;
  /** Lets others watch this game live, or ends it. */
  setWatchable: (allowed: boolean) => void;
  reconnectNow: () => void;
  close: () => void;
}
