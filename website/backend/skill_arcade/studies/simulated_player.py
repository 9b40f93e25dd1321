"""A simulated player: plays one trial on the play socket at random, and acknowledges what it gets."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from typing import Any

import aiohttp

from skill_arcade.errors import NotReady
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.packet import FramePacket

SUBPROTOCOL = "skill-arcade"
FRAMES_PER_ACKNOWLEDGEMENT = 6
FRAMES_PER_PRESS = 10
"""In a real-time game. A turn-based game is pressed after each frame."""
PRESS_SECONDS = 0.015
"""Pause after a press and its release, which keeps below the rate limit of messages."""
QUIET_SECONDS = 1.0
"""Time without a message after which another control is pressed, because the last one may have had no effect."""
BROWSER = {"browser": "skill-arcade studies pilot", "screen": [1280, 800], "pixel_ratio": 1.0, "refresh_hz": 60.0}
FINAL_CLOSES = (
    *(CloseCode.BAD_MESSAGE, CloseCode.CONSENT_REQUIRED, CloseCode.UNKNOWN_GAME),
    *(CloseCode.GAME_CRASHED, CloseCode.TAKEN_OVER),
)
"""After another close, the trial is tried again."""


class PilotFailed(Exception):
    """A simulated participant cannot go on."""


class SimulatedPlayer:
    """One connection to a game. It acts step by step as a program (rule O24), or presses controls as a person."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, presses: Sequence[Sequence[str]], rng: random.Random
    ) -> None:
        self._socket, self._presses, self._rng = socket, presses, rng
        self._is_real_time, self._is_stepped = True, False
        self._frame, self._n_actions, self._held = 0, 0, list[str]()

    async def play(self, *, is_real_time: bool, is_stepped: bool = False, max_frames: int | None = None) -> bool:
        """Play until the episode ends; return whether it did, or False once `max_frames` have arrived.

        * `is_real_time`: the game is in real time for people.
        * `is_stepped`: the game waits for each action, whatever its pace is.

        Raises:
            NotReady: the connection was closed, and the trial can be tried again.
            PilotFailed: it was closed for a reason that will not change.
        """
        self._is_real_time, self._is_stepped = is_real_time, is_stepped
        await self._send("hello", protocol=1, time_origin=0, isolated=True, **BROWSER)
        while True:
            try:
                message = await self._socket.receive(QUIET_SECONDS)
            except TimeoutError:
                if not self._is_stepped:
                    await self._press()
                continue
            if message.type is aiohttp.WSMsgType.BINARY:
                if await self._on_packet(message.data) and max_frames is not None and self._frame >= max_frames:
                    return False
            elif message.type is not aiohttp.WSMsgType.TEXT:
                raise self._explain_close()
            elif await self._on_message(json.loads(message.data)):
                return True

    def _explain_close(self) -> Exception:
        code = self._socket.close_code
        text = f"the connection was closed with code {code}"
        return PilotFailed(text) if code in FINAL_CLOSES else NotReady(text)

    async def _on_message(self, message: dict[str, Any]) -> bool:
        """Handle a text message. Return whether the episode has ended."""
        match message["type"]:
            case "welcome" if message["phase"] in ("ready", "ended"):
                self._n_actions = message["n_actions"]
                program = {"pace": "stepped", "seed": None} if self._is_stepped else None
                await self._send("start", mode="streamed", program=program)
            case "welcome":
                self._n_actions = message["n_actions"]
                await self._send("resume")
            case "started" if not (self._is_real_time or self._is_stepped):
                await self._press()
            case "ended":
                return True
        return False

    async def _on_packet(self, data: bytes) -> bool:
        """Acknowledge a frame, and act. Return False for other packets."""
        try:
            packet = FramePacket.unpack(data)
        except ValueError:
            return False  # sound
        if packet.is_preview:
            return False
        self._frame = packet.frame
        if packet.is_final or packet.frame % FRAMES_PER_ACKNOWLEDGEMENT == 0:
            shown = {"received": packet.frame, "frames": [[packet.frame, _now_ms()]]}
            await self._socket.send_json({"type": "shown", **shown})
        if not packet.is_final:
            await self._act()
        return True

    async def _act(self) -> None:
        if self._is_stepped:
            await self._send("act", action=self._rng.randrange(self._n_actions), frame=self._frame)
        elif not self._is_real_time or self._frame % FRAMES_PER_PRESS == 0:
            await self._press()

    async def _press(self) -> None:
        """Release what is held, and press the controls of a random action. In real time they are held."""
        await self._release()
        self._held = list(self._rng.choice(self._presses))
        for control in self._held:
            await self._change(control, down=True)
        if not self._is_real_time:
            await self._release()
            await asyncio.sleep(PRESS_SECONDS)

    async def _release(self) -> None:
        for control in self._held:
            await self._change(control, down=False)
        self._held = []

    async def _change(self, control: str, *, down: bool) -> None:
        await self._send("input", control=control, down=down, frame=self._frame, device="keyboard", code=control)

    async def _send(self, kind: str, **fields: Any) -> None:
        await self._socket.send_json({"type": kind, "at": _now_ms(), **fields})


def _now_ms() -> float:
    return time.monotonic() * 1000
