import { describe, expect, test } from "vitest";

import { hasEpisode, nextPhase, type Phase, type PhaseEvent } from "@/play/phase";

const LOST = { attempt: 1, message: "", cause: "connection-lost" } as const;
const ENDED = { episode: "e", status: "won", reason: "done", score: 1, steps: 2 } as const;
const CLOSED = { closeReason: { message: "", help: "none" } } as const;

const PHASES = {
  connecting: { kind: "connecting" },
  ready: { kind: "ready" },
  "countdown to start": { kind: "countdown", beatsLeft: 1, then: "start" },
  "countdown to resume": { kind: "countdown", beatsLeft: 1, then: "resume" },
  starting: { kind: "starting", then: "start" },
  resuming: { kind: "starting", then: "resume" },
  playing: { kind: "playing" },
  paused: { kind: "paused", reason: "focus" },
  leaving: { kind: "leaving", thenRestart: false },
  ended: { kind: "ended", ...ENDED },
  "reconnecting without episode": {
    kind: "reconnecting",
    ...LOST,
    episodeActive: false,
    thenRestart: false,
  },
  "reconnecting with episode": {
    kind: "reconnecting",
    ...LOST,
    episodeActive: true,
    thenRestart: false,
  },
  "episode-lost": { kind: "episode-lost" },
  closed: { kind: "closed", ...CLOSED },
} satisfies Record<string, Phase>;

const EVENTS = {
  start: { type: "start", beats: 3 },
  resume: { type: "resume", beats: 3 },
  beat: { type: "beat" },
  pause: { type: "pause", reason: "player" },
  leave: { type: "leave", thenRestart: false },
  "welcomed ready": { type: "welcomed", phase: "ready" },
  "welcomed playing": { type: "welcomed", phase: "playing" },
  "welcomed paused": { type: "welcomed", phase: "paused" },
  started: { type: "started" },
  paused: { type: "paused", reason: "connection" },
  resumed: { type: "resumed" },
  ended: { type: "ended", ended: ENDED },
  reconnecting: { type: "reconnecting", ...LOST },
  closed: { type: "closed", ...CLOSED },
} satisfies Record<string, PhaseEvent>;

/** Kind of the next phase; an event that is not listed here changes nothing. */
const COMMON = {
  "welcomed ready": "ready",
  "welcomed playing": "starting",
  "welcomed paused": "paused",
  started: "playing",
  ended: "ended",
  reconnecting: "reconnecting",
  closed: "closed",
};
const WITH_EPISODE = { ...COMMON, "welcomed ready": "episode-lost", leave: "leaving" };
const EXPECTED: Record<
  keyof typeof PHASES,
  Partial<Record<keyof typeof EVENTS, string | undefined>>
> = {
  connecting: COMMON,
  ready: { ...COMMON, start: "countdown" },
  "countdown to start": { ...COMMON, beat: "starting", pause: "ready" },
  "countdown to resume": { ...WITH_EPISODE, beat: "starting", pause: "paused" },
  starting: { ...COMMON, resumed: "playing" },
  resuming: { ...WITH_EPISODE, resumed: "playing" },
  playing: { ...WITH_EPISODE, pause: "paused", paused: "paused" },
  paused: { ...WITH_EPISODE, started: undefined, resume: "countdown", resumed: "playing" },
  leaving: WITH_EPISODE,
  ended: { ...COMMON, start: "countdown" },
  "reconnecting without episode": COMMON,
  "reconnecting with episode": WITH_EPISODE,
  "episode-lost": { ...COMMON, start: "countdown" },
  closed: {},
};

describe.each(Object.entries(PHASES))("phase %s", (name, phase) => {
  const expected = EXPECTED[name as keyof typeof PHASES];
  test.each(Object.entries(EVENTS))("event %s leads to the expected phase", (type, event) => {
    const next = nextPhase(phase, event);
    const kind = expected[type as keyof typeof EVENTS];
    if (kind === undefined) expect(next).toBe(phase);
    else expect(next).toMatchObject({ kind });
  });
});

test("turn-based game starts without a countdown", () => {
  expect(nextPhase(PHASES.ready, { type: "start", beats: 0 })).toEqual(PHASES.starting);
});

test("countdown passes every beat", () => {
  const beats: unknown[] = [];
  let phase = nextPhase(PHASES.ready, { type: "start", beats: 3 });
  for (; phase.kind === "countdown"; phase = nextPhase(phase, EVENTS.beat))
    beats.push(phase.beatsLeft);
  expect(beats).toEqual([3, 2, 1]);
  expect(phase).toEqual(PHASES.starting);
});

test("restart survives a reconnect in which the episode continues", () => {
  const leaving = nextPhase(PHASES.playing, { type: "leave", thenRestart: true });
  expect(nextPhase(leaving, EVENTS.reconnecting)).toMatchObject({
    episodeActive: true,
    thenRestart: true,
  });
  expect(nextPhase(leaving, EVENTS.leave)).toEqual({ kind: "leaving", thenRestart: true });
});

test("episode is active while the server has one", () => {
  const active = Object.entries(PHASES).filter(([, phase]) => hasEpisode(phase));
  expect(active.map(([name]) => name)).toEqual([
    "countdown to resume",
    "resuming",
    "playing",
    "paused",
    "leaving",
    "reconnecting with episode",
  ]);
});
