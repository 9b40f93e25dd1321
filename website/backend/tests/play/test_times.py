"""The time axis over a real socket, through a network that delays: what is on record can be held against the truth."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from websockets.asyncio.client import connect

import skill_arcade.dataset as sa
from tests.arcade import Arcade, Player, running_arcade, settled, sign_in, ticket_for
from tests.conftest import temporary_home

pytestmark = pytest.mark.anyio
SHIFT_MS, DRIFT = 987_654.0, 200e-6
"""The page's clock is a quarter of an hour off, and runs fast, ten times more than ordinary clocks do."""


class ShiftedPage(Player):
    """A page whose clock is not the server's; it pings often and answers each frame as soon as it has it."""

    def now(self) -> float:
        return page_clock(time.monotonic() * 1000)

    async def say(self, kind: str, **fields: object) -> None:
        await super().say(kind, **{"at": self.now(), **fields})


def page_clock(monotonic_ms: float) -> float:
    return monotonic_ms * (1 + DRIFT) + SHIFT_MS


@pytest.fixture(scope="module")
def arcade() -> Iterator[Arcade]:
    with temporary_home() as home, running_arcade(home, SEGMENT_SECONDS="1") as running:
        yield running


@asynccontextmanager
async def slow_network(port: int, up: float, down: float) -> AsyncIterator[int]:
    """A proxy on loopback that holds bytes back for so many seconds in each direction."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                loop.call_later(delay, writer.write, data)
        loop.call_later(delay, writer.close)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, there_writer, up), pump(there_reader, writer, down))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.mark.parametrize(("up", "down"), [(0.0, 0.0), (0.04, 0.01)])
async def test_a_key_is_placed_on_the_servers_clock_within_the_stated_error(
    arcade: Arcade, monkeypatch: pytest.MonkeyPatch, up: float, down: float
) -> None:
    monkeypatch.setenv("SKILL_ARCADE_HOME", str(arcade.home))
    ticket = await ticket_for(arcade.url, await sign_in(arcade.url, f"{up}@example.org"), "breakout")
    pressed: list[float] = []
    async with slow_network(arcade.port, up, down) as port:
        address = f"ws://127.0.0.1:{port}/ws/breakout?token={ticket}"
        async with connect(address, compression=None) as connection:
            page = ShiftedPage(connection)
            await page.hello()
            await page.say("start")
            started = await page.until("started")
            previous: list[float] | None = None
            for number in range(30):
                await page.say("ping", id=number, previous=previous)
                await page.until("pong")
                previous = [number, page.now()]
                if number % 5 == 4:
                    pressed.append(time.monotonic() * 1e6 - started["server_us"])
                    await page.press("left", down=len(pressed) % 2 == 1)
                await page.until_frame(page.packets[-1].frame + 2)
            await page.say("leave")
            ended = await page.until("ended")
    await settled(arcade)
    with sa.open() as dataset:
        episode = dataset.episode(ended["episode"])
        keys = [float(event.client_us or 0) for event in episode.events if event.kind == "input"]
        placed, stated = episode.clock.to_server(keys), episode.clock.error(keys)
        shown = episode.times["shown_us"]
    wrong = np.abs(placed - np.array(pressed))
    assert (wrong <= stated + 1000).all()
    assert (stated <= (up + down) / 2 * 1e6 + 20_000).all()
    assert np.isfinite(shown).any()
