import type { Ended, Welcome } from "@/wire/messages";

import type { CloseReason, ReconnectCause } from "./driver";

/** What a countdown or a request to the server leads to. */
type Then = "start" | "resume";

/** Phase of the game. Each phase has only the fields that exist in it. */
export type Phase =
  | { kind: "connecting" }
  | { kind: "ready" }
  | { kind: "countdown"; beatsLeft: number; then: Then }
  | { kind: "starting"; then: Then }
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
      thenRestart: boolean;
    }
  /** The page has reconnected, but the episode no longer exists. */
  | { kind: "episode-lost" }
  | { kind: "closed"; closeReason: CloseReason };

/** What changes the phase: `pause`, `leave` and `start` come from the player, the past participles from the driver. */
export type PhaseEvent =
  | { type: "start"; beats: number }
  | { type: "resume"; beats: number }
  | { type: "beat" }
  | { type: "pause"; reason: "player" | "focus" }
  | { type: "leave"; thenRestart: boolean }
  | { type: "welcomed"; phase: Welcome["phase"] }
  | { type: "started" }
  | { type: "paused"; reason: "player" | "connection" }
  | { type: "resumed" }
  | { type: "ended"; ended: Omit<Extract<Phase, { kind: "ended" }>, "kind"> }
  | { type: "reconnecting"; attempt: number; message: string; cause: ReconnectCause }
  | { type: "closed"; closeReason: CloseReason };

type Kind = Phase["kind"];
type EventType = PhaseEvent["type"];
/** Returns the next phase for an event of this type. */
type Transition<P extends Phase, T extends EventType> = (
  phase: P,
  event: Extract<PhaseEvent, { type: T }>,
) => Phase;
/** Transitions of a phase. An event that is not listed is ignored. */
type Row<P extends Phase> = { readonly [T in EventType]?: Transition<P, T> };

const begin: Transition<Phase, "start"> = (_, { beats }) => count(beats, "start");

/** Transitions that each phase but `closed` has, unless its own row says otherwise. */
const COMMON = {
  welcomed: (phase, { phase: remote }) => {
    if (remote === "paused") return { kind: "paused", reason: "connection" };
    if (remote === "playing") return { kind: "starting", then: "resume" };
    return hasEpisode(phase) ? { kind: "episode-lost" } : { kind: "ready" };
  },
  started: () => ({ kind: "playing" }),
  ended: (_, { ended }) => ({ kind: "ended", ...ended }),
  reconnecting: (phase, { attempt, message, cause }) => ({
    kind: "reconnecting",
    attempt,
    message,
    cause,
    episodeActive: hasEpisode(phase),
    thenRestart: isRestarting(phase),
  }),
  closed: (_, { closeReason }) => ({ kind: "closed", closeReason }),
} satisfies Row<Phase>;

const TRANSITIONS: { readonly [K in Kind]: Row<Extract<Phase, { kind: K }>> } = {
  connecting: COMMON,
  ready: { ...COMMON, start: begin },
  countdown: {
    ...COMMON,
    beat: ({ beatsLeft, then }) => count(beatsLeft - 1, then),
    pause: ({ then }, { reason }) =>
      then === "start" ? { kind: "ready" } : { kind: "paused", reason },
    leave,
  },
  starting: { ...COMMON, resumed: () => ({ kind: "playing" }), leave },
  playing: {
    ...COMMON,
    pause: (_, { reason }) => ({ kind: "paused", reason }),
    paused: (_, { reason }) => ({ kind: "paused", reason }),
    leave,
  },
  paused: {
    ...COMMON,
    // After a reconnect the server repeats it, and the game stays paused.
    started: (phase) => phase,
    resume: (_, { beats }) => count(beats, "resume"),
    resumed: () => ({ kind: "playing" }),
    leave,
  },
  leaving: { ...COMMON, leave },
  ended: { ...COMMON, start: begin },
  reconnecting: { ...COMMON, leave },
  "episode-lost": { ...COMMON, start: begin },
  closed: {},
};

/** Returns the phase after this event. It is the same object if the event changes nothing. */
export function nextPhase(phase: Phase, event: PhaseEvent): Phase {
  // TypeScript does not see that phase and row, event and transition belong together.
  const row = TRANSITIONS[phase.kind] as Row<Phase>;
  const transition = row[event.type] as Transition<Phase, EventType> | undefined;
  return transition?.(phase, event) ?? phase;
}

/** Whether the server has an active episode of this player. */
export function hasEpisode(phase: Phase): boolean {
  switch (phase.kind) {
    case "playing":
    case "paused":
    case "leaving":
      return true;
    case "countdown":
    case "starting":
      return phase.then === "resume";
    case "reconnecting":
      return phase.episodeActive;
    default:
      return false;
  }
}

/** Whether another episode starts when this one has ended. */
export function isRestarting(phase: Phase): boolean {
  return (phase.kind === "leaving" || phase.kind === "reconnecting") && phase.thenRestart;
}

function count(beatsLeft: number, then: Then): Phase {
  return beatsLeft > 0 ? { kind: "countdown", beatsLeft, then } : { kind: "starting", then };
}

function leave(phase: Phase, { thenRestart }: { thenRestart: boolean }): Phase {
  if (!hasEpisode(phase)) return phase;
  return { kind: "leaving", thenRestart: thenRestart || isRestarting(phase) };
}
