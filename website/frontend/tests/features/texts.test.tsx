// @vitest-environment happy-dom
// Texts that the player reads during a game. Other tests assert phases, codes and roles.
import { cleanup, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, expect, test } from "vitest";

import type { Game } from "@/api/client";
import { Announcer } from "@/features/play/announcer";
import { Overlay } from "@/features/play/overlay";
import type { Engine, Phase, Snapshot } from "@/play/engine";

import { renderWithTexts } from "../support/render-with-texts";

const game = {
  id: "pong",
  name: "Pong",
  summary: "Win.",
  cover: null,
  pace: { kind: "real-time", hz: 60, speeds: [] },
  show: { score: true },
  options: [],
  aliases: [],
} as unknown as Game;

const ended = { kind: "ended", episode: "e1", reason: "terminated", steps: 40 } as const;
const lost = {
  kind: "reconnecting",
  attempt: 2,
  message: "No response.",
  thenRestart: false,
} as const;

/** Phase, heading, announcement for screen readers, buttons and links. */
const TEXTS: readonly (readonly [Phase, string, string, readonly string[]])[] = [
  [{ kind: "connecting" }, "Loading…", "Loading Pong.", []],
  [{ kind: "ready" }, "Pong", "Pong is ready.", ["Start"]],
  [{ kind: "paused", reason: "player" }, "Paused", "Paused.", ["Resume", "Restart", "Quit"]],
  [{ kind: "leaving", thenRestart: true }, "Restarting…", "", []],
  [{ kind: "leaving", thenRestart: false }, "Quitting…", "", []],
  [
    { ...ended, status: "won", score: 12 },
    "You won!",
    "You won with 12.",
    ["Play again", "Watch replay", "All games"],
  ],
  [
    { ...ended, status: "lost", score: NaN },
    "Game over",
    "The game is over with not a number.",
    ["Play again", "Watch replay", "All games"],
  ],
  [
    { ...ended, status: "incomplete", score: 3 },
    "Game ended",
    "The game is over with 3.",
    ["Play again", "Watch replay", "All games"],
  ],
  [{ kind: "episode-lost" }, "Game ended", "", ["Play again", "All games"]],
  [
    { ...lost, episodeActive: true, cause: "connection-lost" },
    "Reconnecting…",
    "No response.",
    ["Reconnect", "All games"],
  ],
  [
    { ...lost, episodeActive: false, cause: "connection-lost" },
    "Cannot connect",
    "No response.",
    ["Reconnect", "All games"],
  ],
  [
    { ...lost, episodeActive: true, cause: "websocket-blocked" },
    "WebSockets are blocked",
    "No response.",
    ["Try again", "All games"],
  ],
  [
    { kind: "closed", closeReason: { message: "Stopped.", help: "reopen" } },
    "Game stopped",
    "Stopped.",
    ["Reopen the game", "All games"],
  ],
  [
    { kind: "closed", closeReason: { message: "Sign in.", help: "sign-in" } },
    "Game stopped",
    "Sign in.",
    ["Sign in", "All games"],
  ],
  [
    { kind: "closed", closeReason: { message: "Answer first.", help: "consent" } },
    "Game stopped",
    "Answer first.",
    ["Answer", "All games"],
  ],
  [
    { kind: "closed", closeReason: { message: "Gone.", help: "none" } },
    "Game stopped",
    "Gone.",
    ["All games"],
  ],
];

afterEach(cleanup);

test.each(TEXTS)("texts in phase %o", (phase, heading, announcement, actions) => {
  const snapshot = { phase, ghost: null, isRecorded: true } as Snapshot;
  renderWithTexts(
    <MemoryRouter>
      <Announcer phase={phase} game={game} />
      <Overlay
        engine={{} as Engine}
        game={game}
        snapshot={snapshot}
        results={[]}
        touch={false}
        daily={null}
        hasOptions={false}
        hasCover
        renderPlace={() => null}
        onReopen={() => undefined}
      >
        {null}
      </Overlay>
    </MemoryRouter>,
  );
  expect(screen.getByRole("heading").textContent).toBe(heading);
  expect(screen.getByRole("status").textContent).toBe(announcement);
  const named = [...screen.queryAllByRole("button"), ...screen.queryAllByRole("link")];
  expect(named.map(({ textContent }) => textContent)).toEqual(actions);
});
