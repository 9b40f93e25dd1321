"""The heartbeat: signs of life in the table of servers, and the end of episodes of servers that give none."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

import skill_arcade
from skill_arcade.errors import NotReady
from skill_arcade.storage.database import servers
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.provisional_ends import end_lost_episodes

log = logging.getLogger(__name__)

BEATS_PER_LIFETIME = 6
"""Signs of life within the time after which a server is lost: one each 10 s."""
MIN_TIMEOUT_SECONDS = 5.0
"""Time that a sign of life may take at least, so that a busy database does not look like one that is down."""


class ServerHeartbeat:
    """Gives signs of life of this server, and ends episodes of servers that give none (rules R23 and R24)."""

    def __init__(
        self,
        engine: AsyncEngine,
        journal_id: UUID,
        *,
        max_games: int,
        lost_seconds: float,
        socket_origin: str | None = None,
        accepts_games: Callable[[], bool] = lambda: True,
        list_live_games: Callable[[], list[dict[str, Any]]] = list,
    ) -> None:
        """`socket_origin` is where this server accepts players while `accepts_games`, or None if no ticket names it.

        `list_live_games` lists the games of agents that can be watched here.
        """
        self.server_id = uuid4()
        self.n_running, self.n_silent, self.n_ended_episodes = 1, 0, 0
        self.is_steady = False
        self._recovery: asyncio.Task[None] | None = None
        self._engine, self._journal_id, self._max_games = engine, journal_id, max_games
        self._lifetime = timedelta(seconds=lost_seconds)
        self._socket_origin, self._accepts_games = socket_origin, accepts_games
        self._list_live_games = list_live_games

    async def register(self) -> None:
        """Add this server to the table. Raises NotReady if the database does not answer."""
        async with transaction(self._engine) as connection:
            await servers.add_server(
                connection,
                self.server_id,
                self._journal_id,
                self._lifetime,
                address=socket.gethostname(),
                revision=os.environ.get("K_REVISION", skill_arcade.__version__),
                max_games=self._max_games,
                socket_origin=self._find_socket_origin(),
            )

    async def run(self, count_games: Callable[[], int], recover: Callable[[], Awaitable[None]]) -> None:
        """Give signs of life until cancelled. A failure is logged, and the next one follows in time.

        While other servers are silent, `recover` is called in the background after each, unless it still runs.
        """
        interval = self._lifetime.total_seconds() / BEATS_PER_LIFETIME
        async with asyncio.TaskGroup() as group:
            await self._run(count_games, partial(self._recover, group, recover), interval)

    def _recover(self, group: asyncio.TaskGroup, recover: Callable[[], Awaitable[None]]) -> None:
        if self.n_silent and self.is_steady and (self._recovery is None or self._recovery.done()):
            self._recovery = group.create_task(_log_failure(recover), name="recover lost games")

    async def _run(self, count_games: Callable[[], int], recover: Callable[[], None], interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            try:
                async with asyncio.timeout(max(MIN_TIMEOUT_SECONDS, interval)):
                    await self.beat(count_games())
                recover()
            except Exception as error:  # noqa: BLE001  (whatever it is, the next one follows)
                log.warning(
                    "sign of life failed, retrying delay_s=%.0f error=%s: %s", interval, type(error).__name__, error
                )

    async def beat(self, n_games: int) -> None:
        """Give one sign of life; if no own one was missed, end the episodes of servers that are lost."""
        async with transaction(self._engine) as connection:
            heartbeat = await servers.beat(
                connection,
                self.server_id,
                n_games,
                self._lifetime,
                self._find_socket_origin(),
                self._list_live_games(),
            )
        if heartbeat is None:
            log.warning("the database does not know this server, adding it again server=%s", self.server_id)
            await self.register()
            return
        self.n_running, self.n_silent = heartbeat.n_running, heartbeat.n_silent
        self.is_steady = heartbeat.is_steady
        if not heartbeat.is_steady:
            return
        async with transaction(self._engine) as connection:
            episodes = await end_lost_episodes(connection, self._lifetime)
        self.n_ended_episodes += len(episodes)
        for episode in episodes:
            log.warning("server lost, ended its episode episode=%s", episode)

    async def withdraw(self) -> None:
        """Let no ticket name this server any more, because it stops. Without the database it is named for a while."""
        if self._socket_origin is None:
            return
        self._socket_origin = None
        with suppress(NotReady, DBAPIError, OSError, TimeoutError):
            async with asyncio.timeout(1.0), transaction(self._engine) as connection:
                await servers.withdraw_server(connection, self.server_id)

    def _find_socket_origin(self) -> str | None:
        return self._socket_origin if self._socket_origin is not None and self._accepts_games() else None

    async def end(self) -> None:
        """Note the orderly stop. If the database does not answer, the server counts as lost."""
        with suppress(NotReady, DBAPIError, OSError, TimeoutError):
            async with asyncio.timeout(1.0), transaction(self._engine) as connection:
                await servers.end_server(connection, self.server_id)


async def _log_failure(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception as error:  # noqa: BLE001  (whatever it is, the next sign of life tries again)
        log.warning("cannot recover lost games, retrying error=%s: %s", type(error).__name__, error)
