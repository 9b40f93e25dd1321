"""Games behind a random proxy on several servers that are killed, frozen and restarted, and what became of them."""

import asyncio
import random
import re
import shutil
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
import psutil
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from skill_arcade.storage.database.embedded import EmbeddedPostgres
from tests.support.arcade import Player, issue_ticket, sign_in, ticket_subprotocols
from tests.support.cloud.bucket import Bucket, Stored
from tests.support.random_proxy import RandomProxy
from tests.support.server import ServerUnderTest
from tests.support.server_pair import kill_machine
from tests.support.uploads import read_rows

GAME = "breakout"
SILENCE_SECONDS = 4.0
"""Time without a frame after which a player reconnects, as the page does."""
RETRY_SECONDS = 0.3
SETTLE_SECONDS = 3.0
"""Time after a fault in which a reconnect still counts as one after a fault."""
MAX_WAIT_SECONDS = 90.0
"""Time after which a player who cannot play gives up."""
MOVED = re.compile(r"game moved here episode=(\S+) fence=(\d+)")


class GameNotContinued(Exception):
    """The player got another episode, or none, after a reconnect."""


@dataclass
class Moves:
    """What was seen. Times are seconds from the first request of a reconnect to the first frame."""

    planned: list[float] = field(default_factory=list)
    """Reconnects by the player's own choice that reached another server."""
    forced: list[float] = field(default_factory=list)
    """Reconnects during or after a fault, from the last frame before it on."""
    n_reconnects: int = 0
    seen: dict[UUID, int] = field(default_factory=dict)
    """Steps of each episode at its end."""
    rewound: list[int] = field(default_factory=list)
    """Steps that a player saw and that were missing after a fault, for each such reconnect."""
    n_rewound_without_fault: int = 0
    faulty_until: float = 0.0
    """Time up to which a reconnect may be due to a fault, although the player has not noticed it."""
    not_continued: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)


class CountingBucket(Bucket):
    """A bucket that counts shipments and their bytes."""

    n_shipments = n_shipped_bytes = 0

    def insert(self, name: str, data: bytes, metadata: dict[str, object], condition: str | None) -> Stored:
        if name.startswith("open-journals/"):
            self.n_shipments += 1
            self.n_shipped_bytes += len(data)
        return super().insert(name, data, metadata, condition)


@dataclass
class MovingPlayer:
    """A player of one episode, who reconnects to random servers and whenever the connection is lost."""

    proxy: RandomProxy
    rng: random.Random
    stay: tuple[float, float]
    out: Moves
    episode: UUID | None = None
    newest: int = 0
    newest_at: float = 0.0
    started_at: float = 0.0
    server: int | None = None

    async def play(self, seconds: float) -> None:
        """Play for `seconds`, then leave, and note the number of steps."""
        email = f"{uuid4().hex}@example.org"
        token = await self._retry(lambda: sign_in(self.proxy.url, email))
        ends_at, lingering = time.monotonic() + seconds, []
        is_forced = False
        while True:
            socket = await self._retry(lambda: self._connect(token))
            player = Player(socket, keep_pictures=False)
            try:
                async with asyncio.timeout(30):
                    await self._join(player, is_forced=is_forced)
                is_forced = True  # until the stay is over
                if time.monotonic() >= ends_at:
                    await self._leave(player)
                    break
                await self._watch(player, time.monotonic() + self.rng.uniform(*self.stay))
                is_forced = False
            except (ConnectionClosed, TimeoutError):
                is_forced = True
            if self.rng.random() < 0.5:
                await _close(socket)
            else:
                lingering.append(socket)
        for socket in lingering:
            await _close(socket)

    async def _connect(self, token: str) -> ClientConnection:
        self.started_at = time.monotonic()
        ticket = await issue_ticket(self.proxy.url, token, GAME)
        address = f"ws://127.0.0.1:{self.proxy.port}/ws/{GAME}"
        return await connect(
            address, subprotocols=ticket_subprotocols(ticket), compression=None, open_timeout=10, close_timeout=1
        )

    async def _join(self, player: Player, *, is_forced: bool) -> None:
        welcome = await player.hello()
        if self.episode is None and welcome["phase"] == "ready":
            await player.send("start", mode="streamed")
        elif welcome["phase"] not in ("paused", "playing"):
            raise GameNotContinued(f"{self.episode}: {welcome['phase']} at step {self.newest}")
        started = UUID((await player.read_until("started"))["episode"])
        frame = (await player.read_until_frame(0)).frame
        port = player.socket.transport.get_extra_info("sockname")[1]
        before, self.server = self.server, self.proxy.chosen[port]
        if self.episode is None:
            self.episode = started
        elif started != self.episode:
            raise GameNotContinued(f"{self.episode}: {started} at step {self.newest}")
        else:
            self._note(frame, before, is_forced=is_forced)
            await player.send("resume")
        self.newest = frame

    def _note(self, frame: int, before: int | None, *, is_forced: bool) -> None:
        self.out.n_reconnects += 1
        is_forced = is_forced or self.started_at < self.out.faulty_until
        n_missing = max(0, self.newest - frame)
        if is_forced:
            self.out.forced.append(time.monotonic() - self.newest_at)
            self.out.rewound.append(n_missing)
        else:
            self.out.n_rewound_without_fault += n_missing > 0
            if self.server != before:
                self.out.planned.append(time.monotonic() - self.started_at)

    async def _watch(self, player: Player, until: float) -> None:
        while time.monotonic() < until:
            async with asyncio.timeout(SILENCE_SECONDS):
                self.newest = max(self.newest, (await player.read_until_frame(0)).frame)
            self.newest_at = time.monotonic()

    async def _leave(self, player: Player) -> None:
        await player.send("leave")
        async with asyncio.timeout(30):
            ended = await player.read_until("ended")
        assert self.episode is not None
        self.out.seen[self.episode] = ended["n_steps"]

    async def _retry(self, request: Callable[[], Awaitable[Any]]) -> Any:
        """Repeat a request while the servers do not answer it."""
        end = time.monotonic() + MAX_WAIT_SECONDS
        while True:
            try:
                return await request()
            except (httpx.HTTPError, OSError, ConnectionClosed, InvalidHandshake, TimeoutError):
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(RETRY_SECONDS)


async def _close(socket: ClientConnection) -> None:
    with suppress(ConnectionClosed, TimeoutError):
        async with asyncio.timeout(2):
            await socket.close()


@dataclass
class Faults:
    """Breaks one server at a time, or the database."""

    servers: Sequence[ServerUnderTest]
    postgres: EmbeddedPostgres
    lost_seconds: float
    rng: random.Random
    out: Moves

    async def run(self, kinds: Sequence[str], interval: float) -> None:
        """Make these faults one after the other, `interval` seconds apart."""
        for kind in kinds:
            await asyncio.sleep(interval)
            server = self.rng.choice(self.servers)
            self.out.faults[kind] += 1
            self.out.faulty_until = float("inf")
            acts = {"kill": self.kill, "freeze": self.freeze, "stop": self.stop, "postgres": self.restart_postgres}
            await acts[kind](server)
            self.out.faulty_until = time.monotonic() + SETTLE_SECONDS

    async def kill(self, server: ServerUnderTest) -> None:
        """Kill a machine, with its disk, and start another one in its place."""
        kill_machine(server)
        await asyncio.to_thread(shutil.rmtree, server.journal)
        for path in server.home.glob("*journal*"):
            path.unlink()
        await asyncio.sleep(self.lost_seconds)
        await asyncio.to_thread(server.start)

    async def stop(self, server: ServerUnderTest) -> None:
        """Stop a server by SIGTERM, and start it again."""
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)

    async def freeze(self, server: ServerUnderTest) -> None:
        """Freeze all processes of a server until it counts as lost, then let them go on."""
        family = [server.server, *server.server.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        await asyncio.sleep(self.lost_seconds * 1.5)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.resume()
        await asyncio.sleep(self.lost_seconds / 2)

    async def restart_postgres(self, _server: ServerUnderTest) -> None:
        """Stop Postgres for two seconds."""
        await asyncio.to_thread(self.postgres.server.stop)
        await asyncio.sleep(2)
        await asyncio.to_thread(self.postgres.ensure_started)


async def play_games(
    proxy: RandomProxy,
    rng: random.Random,
    out: Moves,
    *,
    n_games: int,
    n_at_once: int,
    seconds: float,
    stay: tuple[float, float],
) -> None:
    """Play games, `n_at_once` at a time. A game that was not continued is noted, and the others go on."""
    slots = asyncio.Semaphore(n_at_once)

    async def play(seed: int) -> None:
        async with slots:
            try:
                await MovingPlayer(proxy, random.Random(seed), stay, out).play(seconds)
            except GameNotContinued as error:
                out.not_continued.append(str(error))

    async with asyncio.TaskGroup() as group:
        for _ in range(n_games):
            group.create_task(play(rng.getrandbits(32)))


def find_owners(servers: Sequence[ServerUnderTest]) -> dict[tuple[str, int], list[int]]:
    """Return the servers that say in their log that they continued an episode under a fence."""
    owners: dict[tuple[str, int], list[int]] = {}
    for index, server in enumerate(servers):
        for episode, fence in MOVED.findall((server.home / "server.log").read_text(errors="replace")):
            owners.setdefault((episode, int(fence)), []).append(index)
    return owners


async def wait_until_certified(engine: AsyncEngine, seconds: float) -> dict[str, int]:
    """Wait until each episode has ended and has a certificate. Return the number of episodes by result."""
    query = (
        "SELECT coalesce(c.result::text, CASE WHEN e.time_ended IS NULL THEN 'open' ELSE 'waiting' END), count(*) "
        "FROM episode e LEFT JOIN LATERAL (SELECT result FROM certificate WHERE episode_id = e.id "
        "ORDER BY time_created DESC LIMIT 1) c ON true GROUP BY 1"
    )
    end = time.monotonic() + seconds
    while True:
        found = {str(result): int(number) for result, number in await read_rows(engine, query)}
        if not found.keys() & {"open", "waiting"} or time.monotonic() > end:
            return found
        await asyncio.sleep(1.0)
