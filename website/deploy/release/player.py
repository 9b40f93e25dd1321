"""An automatic player for the smoke test: presses controls through a game's WebSocket and counts the steps."""

import json
import struct
import time
from dataclasses import dataclass
from typing import Any

from release.errors import UserFacingError
from release.websocket import WebSocket

FRAME_HEADER = struct.Struct("<BBHI")
VERSION = 1
PLAY_TIMEOUT_SECONDS = 60.0
REAL_TIME_FRAMES_PER_PRESS = 10


@dataclass(frozen=True)
class PlayedEpisode:
    """An episode that was played, with the number of steps that the server reported."""

    episode: str
    n_steps: int


class Player:
    """Plays one game through its WebSocket, according to the protocol in the back end's wire/SPEC.md."""

    def __init__(self, socket: WebSocket, game: dict[str, Any]) -> None:
        self._socket = socket
        # Controls that are an action on their own, so that the server answers each press with a step.
        self._controls = [action["press"][0] for action in game["actions"] if len(action["press"]) == 1]
        self._frames_per_press = REAL_TIME_FRAMES_PER_PRESS if game["pace"]["kind"] == "real-time" else 1
        self._began = time.monotonic()
        self._frame = 0
        self._presses = 0
        if not self._controls:
            raise UserFacingError(f"cannot play {game['id']}: no action of the game is bound to a single control")

    def play(self, n_steps: int) -> list[PlayedEpisode]:
        """Play as many episodes as it takes until the server has reported `n_steps` steps. Returns the episodes."""
        self._send_hello()
        done: list[PlayedEpisode] = []
        while (missing := n_steps - sum(episode.n_steps for episode in done)) > 0:
            done.append(self._play_episode(missing))
        return done

    def _send_hello(self) -> None:
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

    def _play_episode(self, n_steps: int) -> PlayedEpisode:
        """Start an episode and play it to its end, or leave it after `n_steps` steps."""
        self._send("start", at=self._now())
        episode = str(self._expect("started")["episode"])
        self._frame, left = 0, False
        while True:
            message = self._receive()
            if isinstance(message, bytes):
                self._acknowledge_frame(message)
                if self._frame >= n_steps and not left:
                    self._send("leave", at=self._now())
                    left = True
                elif self._frame % self._frames_per_press == 0 and not left:
                    self._press()
            elif message["type"] == "ended":
                return self._check_end(episode, message)

    def _check_end(self, episode: str, ended: dict[str, Any]) -> PlayedEpisode:
        """Check the server's number of steps: it is at least the number of the last frame that arrived."""
        if ended["episode"] != episode or ended["n_steps"] < max(self._frame, 1):
            raise UserFacingError(
                f"{self._frame} steps of the episode {episode} arrived, but its end message is {ended}"
            )
        return PlayedEpisode(episode, ended["n_steps"])

    def _acknowledge_frame(self, packet: bytes) -> None:
        """Read the index of the observation from a frame packet and acknowledge it."""
        version, _, _, frame = FRAME_HEADER.unpack_from(packet)
        if version != VERSION or frame < self._frame:
            raise UserFacingError(f"frame {frame} with protocol version {version} arrived after frame {self._frame}")
        self._frame = frame
        self._send("shown", received=frame, frames=[[frame, self._now()]])

    def _press(self) -> None:
        """Press and release the next control: one step of a turn-based game, at least one tick of a real-time game."""
        control = self._controls[self._presses % len(self._controls)]
        self._presses += 1
        for down in (True, False):
            press = {"control": control, "down": down, "frame": self._frame, "device": "keyboard", "code": ""}
            self._send("input", at=self._now(), **press)

    def _expect(self, kind: str) -> dict[str, Any]:
        message = self._receive()
        while isinstance(message, bytes):  # the first frame of the next episode (rule O10)
            message = self._receive()
        if message["type"] != kind:
            raise UserFacingError(f"expected the message {kind!r}, but received {str(message)[:200]}")
        return message

    def _receive(self) -> bytes | dict[str, Any]:
        """Return the next frame packet, or the next message parsed as JSON."""
        if time.monotonic() - self._began > PLAY_TIMEOUT_SECONDS:
            raise UserFacingError(
                f"timeout: the game took longer than {PLAY_TIMEOUT_SECONDS:.0f} s; the last frame is {self._frame}"
            )
        message = self._socket.receive()
        if isinstance(message, bytes):
            return message
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def _send(self, kind: str, **fields: Any) -> None:
        self._socket.send_text(json.dumps({"type": kind, **fields}))

    def _now(self) -> float:
        return (time.monotonic() - self._began) * 1000
