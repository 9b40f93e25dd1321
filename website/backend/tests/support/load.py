"""People who play on while things break, and remember the newest frame that they saw of every episode."""

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

AWAY_PROBABILITY = (OSError, httpx.HTTPError, WebSocketException, TimeoutError)
"""What it looks like from outside when a server is gone."""


@dataclass
class PlayerLoad:
    """So many people at one game each, who come back whenever they are thrown out."""

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
        """One person, until it is time to leave."""
        token = ""
        while not self.leaving:
            try:
                async with asyncio.timeout(10):
                    token = token or await sign_in(self.url, f"{name}@example.org")
                    ticket = await issue_ticket(self.url, token, self.game)
                address = f"ws://127.0.0.1:{self.port}/ws/{self.game}?token={ticket}"
                async with connect(address, compression=None, ping_interval=None, open_timeout=10) as socket:
                    await self._sit(Player(socket, keep_pictures=False))
                self.closes.append(socket.close_code or 0)
            except httpx.HTTPStatusError as refusal:
                token = "" if refusal.response.status_code == 401 else token
                await asyncio.sleep(0.2)
            except AWAY_PROBABILITY:
                await asyncio.sleep(0.2)

    async def _sit(self, player: Player) -> None:
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
    """A crowd at play; at the end everybody leaves their game and goes."""
    crowd = PlayerLoad(port, rng, game)
    tasks = [asyncio.create_task(crowd.play(f"p{number}")) for number in range(people)]
    try:
        yield crowd
    finally:
        crowd.leaving = True
        _, late = await asyncio.wait(tasks, timeout=30)
        for task in late:
            task.cancel()
        await asyncio.wait(tasks)  # a socket that is still open then would be no more than a warning, much later
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
