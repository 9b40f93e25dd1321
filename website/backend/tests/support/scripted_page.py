"""A scripted page whose clock is shifted and drifts, which paints 60 times per second, and which knows the true times.

Its pictures encode which observation they show (`tests.support.self_describing_env`), so it does not rely on numbers in
packets.
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import numpy as np
from websockets.asyncio.client import connect

import skill_arcade.dataset as sa
from skill_arcade.wire.packet import PREVIEW
from tests.support.arcade import Arcade, Player, issue_ticket, sign_in, wait_until_uploaded
from tests.support.network import NetworkConditions, delaying_proxy
from tests.support.self_describing_env import read_frame, write_catalogue

TAP_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class PageClock:
    """The page's clock: shifted by `shift_ms`, and fast by `drift_ppm` parts per million."""

    shift_ms: float = 987_654.0
    drift_ppm: float = 0.0

    def read(self, monotonic_us: float) -> float:
        """Return its value in milliseconds at this time of the monotonic clock."""
        return monotonic_us / 1000 * (1 + self.drift_ppm / 1e6) + self.shift_ms


@dataclass(frozen=True, slots=True)
class Moment:
    """An event: the observation that was on the screen, by its picture, and both clocks."""

    frame: int | None
    page_ms: float
    monotonic_us: float


@dataclass
class ScriptedPage(Player):
    """A player who taps at random times."""

    clock: PageClock = field(default_factory=PageClock)
    paints: list[Moment] = field(default_factory=list)
    taps: list[Moment] = field(default_factory=list)
    unreported: list[Moment] = field(default_factory=list)
    pinged: int = 0
    pong: tuple[int, float] | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def moment(self, frame: int | None) -> Moment:
        """Return the present time on both clocks."""
        now = time.monotonic_ns() / 1000
        return Moment(frame, self.clock.read(now), now)

    @property
    def on_screen(self) -> int | None:
        """The observation on the screen, or None before the first paint."""
        return self.paints[-1].frame if self.paints else None

    async def say(self, kind: str, **fields: object) -> None:
        """Send a message with the time of the page's clock."""
        await super().send(kind, **{"at": self.moment(None).page_ms, **fields})

    async def play(self, seconds: float, ping_seconds: float, seed: int = 1) -> UUID:
        """Tap for `seconds`; return the id of the episode."""
        await self.hello()
        await self.say("start")
        started = await self.read_until("started")
        jobs = [self._receive(), self._paint(), self._report(), self._ping(ping_seconds)]
        running = [asyncio.create_task(job) for job in jobs]
        try:
            await self._tap(seconds, random.Random(seed))
            await self.say("leave")
            await asyncio.wait_for(self.over.wait(), 30)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        await self._flush()  # paints after the last report
        return UUID(started["episode"])

    async def _receive(self) -> None:
        async for data in self.socket:
            if isinstance(data, bytes):
                if not data[1] & PREVIEW:
                    self.receive_frame(data)
                continue
            message = json.loads(data)
            if message["type"] == "pong":
                self.pong = message["id"], self.moment(None).page_ms
            elif message["type"] == "ended":
                # The remaining paints must be reported before the page disconnects.
                asyncio.get_running_loop().call_later(0.3, self.over.set)

    async def _paint(self) -> None:
        """Paint the newest picture 60 times per second."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += 1 / 60
            await asyncio.sleep(due - loop.time())
            if self.pictures:
                frame, _ = read_frame(self.pictures[-1])
                self.pictures.clear()
                self.paints.append(self.moment(frame))
                self.unreported.append(self.paints[-1])

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            await self._flush()

    async def _flush(self) -> None:
        if not self.packets:
            return
        seen, self.unreported = self.unreported, []
        frames = [[paint.frame, paint.page_ms] for paint in seen]
        message = {"type": "shown", "received": self.packets[-1].frame, "frames": frames}
        await self.socket.send(json.dumps(message))

    async def _ping(self, period: float) -> None:
        while True:
            await self.say("ping", id=self.pinged, previous=self.pong)
            self.pinged += 1
            await asyncio.sleep(period)

    async def _tap(self, seconds: float, rng: random.Random) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            await asyncio.sleep(rng.uniform(0.05, 0.2))
            tap = self.moment(self.on_screen)
            self.taps.append(tap)
            await self._press(tap, down=True)
            await asyncio.sleep(TAP_SECONDS)
            await self._press(self.moment(self.on_screen), down=False)
        await self._let_act()

    async def _let_act(self) -> None:
        """Wait until the server has received the last tap, and has taken some steps more."""
        last = self.pinged
        while self.pong is None or self.pong[0] < last:
            await asyncio.sleep(0.01)
        seen = len(self.paints)
        while len(self.paints) < seen + 15:
            await asyncio.sleep(0.01)

    async def _press(self, at: Moment, *, down: bool) -> None:
        control = {"control": "tap", "device": "keyboard", "code": "Space", "frame": at.frame}
        await self.say("input", down=down, at=at.page_ms, **control)


@dataclass(frozen=True, slots=True)
class Axis:
    """Recorded times compared with the true ones, in milliseconds."""

    round_trip: float
    samples: int
    wrong: list[float]
    stated: list[float]
    paints: int
    paints_wrong: int
    taps: int
    taps_on_record: int
    taps_wrong: int
    taps_acted: int
    age: list[int]


def compare(page: ScriptedPage, episode: sa.Episode, started_us: float) -> Axis:
    """Compare the recorded times of an episode with those of the page."""
    server_us = np.array([paint.monotonic_us for paint in page.paints]) - started_us
    page_us = np.array([round(paint.page_ms * 1000) for paint in page.paints], float)
    wrong = np.abs(episode.clock.to_server(page_us) - server_us) / 1000
    times, downs = episode.times, [event for event in episode.inputs if event.data["down"]]
    shown = {paint.frame: round(paint.page_ms * 1000) for paint in page.paints}
    recorded = {step: int(at) for step, at in enumerate(times["shown_us"]) if np.isfinite(at)}
    recorded |= {event.data["frame"]: event.client_us for event in episode.events if event.kind == "last-shown"}
    expected = [(tap.frame, round(tap.page_ms * 1000)) for tap in page.taps]
    found = [(event.data["frame"], event.client_us) for event in downs]
    pressed = np.flatnonzero(np.diff(episode.actions, prepend=0) == 1)
    acted = {int(times["input_us"][step]): int(step) for step in pressed}
    return Axis(
        round_trip=float(np.median(episode.clock.round_trip_us)) / 1000,
        samples=len(episode.clock),
        wrong=wrong.tolist(),
        stated=(episode.clock.error(page_us) / 1000).tolist(),
        paints=len(shown),
        paints_wrong=len(shown.items() ^ recorded.items()),
        taps=len(expected),
        taps_on_record=len(found),
        taps_wrong=len(set(expected) ^ set(found)),
        taps_acted=len({at for _, at in expected} & acted.keys()),
        age=[acted[at] - frame for frame, at in expected if at in acted and frame is not None],
    )


async def play_and_compare(
    arcade: Arcade, network: NetworkConditions, clock: PageClock, seconds: float, ping_seconds: float
) -> Axis:
    """Play over a network, wait for the upload, and compare. SKILL_ARCADE_HOME must be the arcade's home."""
    email = f"{network.up_ms}.{network.down_ms}.{network.loss}@example.org"
    ticket = await issue_ticket(arcade.url, await sign_in(arcade.url, email), "self-describing")
    async with delaying_proxy(network, arcade.port) as port:
        address = f"ws://127.0.0.1:{port}/ws/self-describing?token={ticket}"
        async with connect(address, compression=None) as connection:
            page = ScriptedPage(connection, clock=clock)
            id_ = await page.play(seconds, ping_seconds)
    await wait_until_uploaded(arcade)
    started_us = next(message["server_us"] for message in page.messages if message["type"] == "started")
    with sa.open() as dataset:
        return compare(page, dataset.episode(id_), started_us)


def self_describing_settings(folder: Path) -> dict[str, str]:
    """Return settings of a server with the self-describing game only, whose processes can import these tests."""
    return {"GAMES_FOLDER": str(write_catalogue(folder)), "PYTHONPATH": str(Path(__file__).parents[2])}
