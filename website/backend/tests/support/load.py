"""Players that reconnect while the server fails, and record the newest frame that they saw of each episode."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from skill_arcade.wire.packet import FramePacket
from tests.support.arcade import Player, issue_ticket, sign_in

DISCONNECT_ERRORS = (OSError, httpx.HTTPError, WebSocketException, TimeoutError)
"""Errors of a client while the server is down."""


@dataclass
class PlayerLoad:
    """A number of players at one game, who reconnect whenever they are disconnected."""

    port: int
    rng: random.Random
    game: str = "breakout"
    seen: dict[UUID, int] = field(default_factory=dict)
    closes: list[int] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    n_frames: int = 0
    leaving: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def play(self, name: str) -> None:
        """Play as one player until `leaving` is set."""
        token = ""
        while not self.leaving:
            try:
                async with asyncio.timeout(10):
                    token = token or await sign_in(self.url, f"{name}@example.org")
                    ticket = await issue_ticket(self.url, token, self.game)
                address = f"ws://127.0.0.1:{self.port}/ws/{self.game}?token={ticket}"
                async with connect(address, compression=None, ping_interval=None, open_timeout=10) as socket:
                    await self._play_connected(Player(socket, keep_pictures=False))
                self.closes.append(socket.close_code or 0)
            except httpx.HTTPStatusError as error:
                token = "" if error.response.status_code == 401 else token
                await asyncio.sleep(0.2)
            except DISCONNECT_ERRORS:
                await asyncio.sleep(0.2)

    async def _play_connected(self, player: Player) -> None:
        async with asyncio.timeout(15):
            welcome = await player.hello()
        await player.send("resume" if welcome["phase"] == "paused" else "start")
        episode: UUID | None = UUID(welcome["episode"]) if welcome["episode"] else None
        while True:
            try:
                async with asyncio.timeout(20):
                    message = await player.read()
            except WebSocketException:
                self.closes.append(player.socket.close_code or 0)
                return
            if isinstance(message, FramePacket):
                if episode is not None:
                    self.seen[episode] = max(self.seen.get(episode, 0), message.frame)
                self.n_frames += 1
                if self.rng.random() < 0.1:
                    await player.press(self.rng.choice(("left", "right", "fire")), down=self.rng.random() < 0.5)
                if self.leaving:
                    await player.send("leave")
            elif message["type"] == "started":
                episode = UUID(message["episode"])
            elif message["type"] == "notice":
                self.notices.append(message["text"])
            elif message["type"] == "ended":
                if self.leaving:
                    return
                await player.send("start")


@asynccontextmanager
async def run_load(port: int, rng: random.Random, people: int, game: str = "breakout") -> AsyncIterator[PlayerLoad]:
    """Run `people` players; at the end all of them leave their game."""
    load = PlayerLoad(port, rng, game)
    tasks = [asyncio.create_task(load.play(f"p{number}")) for number in range(people)]
    try:
        yield load
    finally:
        load.leaving = True
        _, pending = await asyncio.wait(tasks, timeout=30)
        for task in pending:
            task.cancel()
        await asyncio.wait(tasks)  # otherwise an open socket would only be a warning, much later
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
