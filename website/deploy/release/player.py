"""A player without eyes: presses controls through a game's socket and counts the steps that come back."""

import json
import struct
import time
from dataclasses import dataclass
from typing import Any

from release.trouble import Trouble
from release.websocket import WebSocket

FRAME_HEAD = struct.Struct("<BBHI")
VERSION = 1
PATIENCE_SECONDS = 60.0
REAL_TIME_FRAMES_A_PRESS = 10


@dataclass(frozen=True)
class Played:
    """One episode as the socket told it."""

    episode: str
    n_steps: int


class Player:
    """Plays one game through its socket, as wire/SPEC.md of the back end has it."""

    def __init__(self, socket: WebSocket, game: dict[str, Any]) -> None:
        self._socket = socket
        # Single controls that mean an action: each press of one is answered by a step.
        self._controls = [action["press"][0] for action in game["actions"] if len(action["press"]) == 1]
        self._frames_a_press = REAL_TIME_FRAMES_A_PRESS if game["pace"]["kind"] == "real-time" else 1
        self._began = time.monotonic()
        self._frame = 0
        self._presses = 0
        if not self._controls:
            raise Trouble(f"the game {game['id']} has no action for a single control")

    def play(self, n_steps: int) -> list[Played]:
        """Play until this many steps came back, over as many episodes as it takes. Returns the episodes."""
        self._say_hello()
        done: list[Played] = []
        while (missing := n_steps - sum(episode.n_steps for episode in done)) > 0:
            done.append(self._play_episode(missing))
        return done

    def _say_hello(self) -> None:
        self._send(
            "hello",
            at=self._now(),
            protocol=1,
            time_origin=time.time() * 1000,
            browser="smoke test",
            screen=[1280, 720],
            pixel_ratio=1,
            refresh_hz=None,
            isolated=False,
        )
        self._expect("welcome")

    def _play_episode(self, n_steps: int) -> Played:
        """Start an episode and play it to its end, or leave it after this many steps."""
        self._send("start", at=self._now())
        episode = str(self._expect("started")["episode"])
        self._frame, left = 0, False
        while True:
            message = self._receive()
            if isinstance(message, bytes):
                self._see(message)
                if self._frame >= n_steps and not left:
                    self._send("leave", at=self._now())
                    left = True
                elif self._frame % self._frames_a_press == 0 and not left:
                    self._press()
            elif message["type"] == "ended":
                return self._check_end(episode, message)

    def _check_end(self, episode: str, ended: dict[str, Any]) -> Played:
        """Hold the server's count against the frames that arrived: it may know of more, never of fewer."""
        if ended["episode"] != episode or ended["n_steps"] < max(self._frame, 1):
            raise Trouble(f"{self._frame} steps of {episode} came back, and its end says {ended}")
        return Played(episode, ended["n_steps"])

    def _see(self, packet: bytes) -> None:
        """Take the observation's index from a frame packet and acknowledge it."""
        version, _, _, frame = FRAME_HEAD.unpack_from(packet)
        if version != VERSION or frame < self._frame:
            raise Trouble(f"frame {frame} of version {version} came after frame {self._frame}")
        self._frame = frame
        self._send("shown", received=frame, frames=[[frame, self._now()]])

    def _press(self) -> None:
        """Press the next control and let it go: one step of a turn-based game, a tick at least of another."""
        control = self._controls[self._presses % len(self._controls)]
        self._presses += 1
        for down in (True, False):
            press = {"control": control, "down": down, "frame": self._frame, "device": "keyboard", "code": ""}
            self._send("input", at=self._now(), **press)

    def _expect(self, kind: str) -> dict[str, Any]:
        message = self._receive()
        while isinstance(message, bytes):  # the picture that the next episode begins with (rule O10)
            message = self._receive()
        if message["type"] != kind:
            raise Trouble(f"{kind!r} was to come, and this came: {str(message)[:200]}")
        return message

    def _receive(self) -> bytes | dict[str, Any]:
        """Return the next frame packet, or the next message read as JSON."""
        if time.monotonic() - self._began > PATIENCE_SECONDS:
            raise Trouble(f"the game took longer than {PATIENCE_SECONDS:.0f} s; frame {self._frame} came last")
        message = self._socket.receive()
        if isinstance(message, bytes):
            return message
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def _send(self, kind: str, **fields: Any) -> None:
        self._socket.send_text(json.dumps({"type": kind, **fields}))

    def _now(self) -> float:
        return (time.monotonic() - self._began) * 1000
