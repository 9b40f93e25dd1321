"""One player, one game across servers: the newest connection wins, whichever server it reaches (rule O25)."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady, NotSignedIn, TakenOver
from skill_arcade.play.connections.player_connections import PlayerConnection
from skill_arcade.play.connections.session_manager import SessionManager
from skill_arcade.storage.database import game_leases, moved_episodes
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.game_leases import LostLease
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.wire.close_codes import CloseCode
from skill_arcade.wire.error_table import REASONS

log = logging.getLogger(__name__)

RENEWALS_PER_LIFETIME = 12
"""Renewals of all leases of a server within the time after which a server is lost: one each 5 s."""
CLEANUP_RENEWALS = 12
"""Renewals after which expired rows are deleted."""
LISTEN_RETRY_SECONDS, MIN_TIMEOUT_SECONDS = 5.0, 5.0
MIN_POOL_SIZE = 3
"""Connections of the pool from which one may listen. With fewer, only the renewals find out what was lost."""
PLAY_TICKET_LIFETIME = timedelta(minutes=10)
"""Time for which a used play ticket is remembered: more than its 60 s and any difference of the servers' clocks."""
EXPORT_TICKET_LIFETIME = timedelta(hours=2)
TICKET_USED = "This download link has been used. Request a new one."


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease that this server holds for the player's connections up to `number`.

    `fence` is 0 if it could not be taken yet, because the database did not answer.
    """

    fence: int
    number: int


class GameLeases:
    """The leases of the games that this server plays.

    A lease is taken with each connection. A server that loses one, and learns it by a notification or at the latest by
    the next renewal, lets the game go. If the database does not answer, games start without a lease and get it later.
    """

    def __init__(
        self, engine: AsyncEngine, server_id: UUID, sessions: SessionManager, *, lost_seconds: float, pool_size: int
    ) -> None:
        self._engine, self._server_id, self._sessions = engine, server_id, sessions
        self._lifetime, self._can_listen = timedelta(seconds=lost_seconds), pool_size >= MIN_POOL_SIZE
        self._held: dict[str, HeldLease] = {}
        self._connections: Counter[str] = Counter()
        self._taking: Counter[str] = Counter()
        self._noticed: dict[str, LostLease] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.n_lost = 0
        """Leases that other servers have taken since this server started."""

    # -- connections and accounts --------------------------------------------------------------------------------

    @asynccontextmanager
    async def holding(self, connection: PlayerConnection) -> AsyncIterator[None]:
        """Take the lease of the player's game, and keep it while the body runs and the game does.

        Raises:
            TakenOver: a newer connection to another server has it already.
        """
        user_id = connection.user_id
        self._connections[user_id] += 1
        try:
            await self._take(user_id, connection.number)
            if user_id not in self._held:
                raise TakenOver(REASONS[CloseCode.TAKEN_OVER])
            yield
        finally:
            self._connections[user_id] -= 1
            if not self._connections[user_id]:
                del self._connections[user_id]

    async def end_game(self, user_id: str) -> None:
        """End the player's running game: here and wait for it, or on another server, which is notified.

        Raises:
            NotReady: the database does not answer.
        """
        await self._sessions.end_game(user_id)
        self._held.pop(user_id, None)
        async with request_transaction(self._engine) as connection:
            await game_leases.revoke_lease(connection, user_id)

    async def is_elsewhere(self, user_id: str) -> bool:
        """Return whether another server has the player's game.

        Raises:
            NotReady: the database does not answer.
        """
        async with request_transaction(self._engine) as connection:
            return await game_leases.find_owner(connection, user_id) not in (None, self._server_id)

    async def spend_play_ticket(self, nonce: str) -> None:
        """Note that a play ticket was used. Without the database, tickets are single-use on this server only.

        Raises:
            NotSignedIn: another server has accepted it.
        """
        try:
            async with request_transaction(self._engine) as connection:
                is_first = await game_leases.spend_ticket(connection, nonce, PLAY_TICKET_LIFETIME)
        except NotReady:
            return
        if not is_first:
            raise NotSignedIn(REASONS[CloseCode.BAD_TICKET])

    async def spend_export_ticket(self, nonce: str) -> None:
        """Note that an export ticket was used.

        Raises:
            NotSignedIn: another server has accepted it.
            NotReady: the database does not answer.
        """
        async with request_transaction(self._engine) as connection:
            is_first = await game_leases.spend_ticket(connection, nonce, EXPORT_TICKET_LIFETIME)
        if not is_first:
            raise NotSignedIn(TICKET_USED)

    def restore_export_ticket(self, nonce: str) -> None:
        """Make a used export ticket valid again, in the background: the download may have been cancelled."""
        self._start(self._restore_ticket(nonce))

    async def _restore_ticket(self, nonce: str) -> None:
        try:
            async with request_transaction(self._engine) as connection:
                await game_leases.restore_ticket(connection, nonce)
        except NotReady:
            log.warning("cannot restore a download ticket, it stays used")

    async def find_or_take_fence(self, connection: PlayerConnection) -> int:
        """Return the fence of the lease of the player's game, which is taken if it could not be taken before.

        Raises:
            TakenOver: the lease was lost meanwhile.
            NotReady: the database does not answer.
        """
        if connection.user_id not in self._held:
            raise TakenOver(REASONS[CloseCode.TAKEN_OVER])
        if not self.find_fence(connection.user_id):
            await self._take(connection.user_id, connection.number)
        if not (fence := self.find_fence(connection.user_id)):
            raise NotReady("The database does not answer. Try again in a moment.")
        return fence

    def find_fence(self, user_id: str) -> int:
        """Return the fence of the player's lease, or 0 if it is not held or could not be taken yet."""
        held = self._held.get(user_id)
        return 0 if held is None else held.fence

    # -- background ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Renew leases and listen for those that are lost, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._renew_regularly(), name="renew leases")
            if self._can_listen:
                group.create_task(self._listen_regularly(), name="listen for lost leases")

    async def renew(self) -> None:
        """Renew the leases of running games, take those that are missing, and release those that are not needed."""
        for user_id, held in list(self._held.items()):
            if not held.fence and self._is_needed(user_id):
                await self._take(user_id, held.number)
        known = {user_id: held.fence for user_id, held in self._held.items() if not self._taking[user_id]}
        needed = {user_id: fence for user_id, fence in known.items() if fence and self._is_needed(user_id)}
        unneeded = {user_id: fence for user_id, fence in known.items() if not self._is_needed(user_id)}
        for user_id in unneeded:
            del self._held[user_id]
        if not needed and not unneeded:
            return
        lost = []
        async with transaction(self._engine) as connection:
            if needed:
                lost = await game_leases.renew_leases(connection, self._server_id, needed, self._lifetime)
            if unneeded:
                await game_leases.release_leases(connection, self._server_id, unneeded)
        for one in lost:
            self._notice(one)

    def _is_needed(self, user_id: str) -> bool:
        return self._connections[user_id] > 0 or self._sessions.has_game(user_id)

    async def _take(self, user_id: str, number: int) -> None:
        """Take a lease. Without the database it counts as held, and is taken by a later renewal."""
        self._taking[user_id] += 1
        fence = 0
        try:
            async with request_transaction(self._engine) as connection:
                fence = await game_leases.take_lease(connection, user_id, self._server_id, self._lifetime)
        except NotReady:
            log.warning("cannot take the lease of a game, retrying user=%s", user_id)
        finally:
            before = self._held.get(user_id, HeldLease(0, 0))
            self._held[user_id] = HeldLease(max(fence, before.fence), max(number, before.number))
            self._taking[user_id] -= 1
            if not self._taking[user_id]:
                del self._taking[user_id]
                if (lost := self._noticed.pop(user_id, None)) is not None:
                    self._on_lost(lost)

    async def _renew_regularly(self) -> None:
        interval = self._lifetime.total_seconds() / RENEWALS_PER_LIFETIME
        for number in count(1):
            await asyncio.sleep(interval)
            try:
                async with asyncio.timeout(max(interval, MIN_TIMEOUT_SECONDS)):
                    await self.renew()
                    if number % CLEANUP_RENEWALS == 0:
                        async with transaction(self._engine) as connection:
                            await game_leases.delete_expired(connection)
            except Exception as error:  # noqa: BLE001  (whatever it is, the next renewal tries again)
                log.warning("cannot renew leases, retrying error=%s: %s", type(error).__name__, error)

    async def _listen_regularly(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  (the renewals find out meanwhile)
                log.warning("cannot listen for lost leases, retrying error=%s: %s", type(error).__name__, error)
            await asyncio.sleep(LISTEN_RETRY_SECONDS)

    async def _listen(self) -> None:
        """Listen until the connection is lost."""
        is_closed = asyncio.Event()

        def on_notification(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
            if (lost := game_leases.read_notification(payload, self._server_id)) is not None:
                self._notice(lost)

        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            driver.add_termination_listener(lambda _: is_closed.set())
            await driver.add_listener(game_leases.CHANNEL, on_notification)
            try:
                await is_closed.wait()
            finally:
                await connection.invalidate()  # so that no request gets a connection that listens

    def _notice(self, lost: LostLease) -> None:
        """Handle a lost lease, but after a connection that is just taking it, whose fence may be newer."""
        if not self._taking[lost.user_id]:
            self._on_lost(lost)
        elif (before := self._noticed.get(lost.user_id)) is None or before.fence < lost.fence:
            self._noticed[lost.user_id] = lost

    def _on_lost(self, lost: LostLease) -> None:
        """End the game of a lost lease, unless a newer lease was taken since."""
        held = self._held.get(lost.user_id)
        let_go = partial(self.let_go, lost.user_id) if lost.is_taken else None
        if held is None:
            if lost.is_taken:  # perhaps told twice; the other server waits, if the game is not just being ended
                self._start(self._sessions.end_lost_game(lost.user_id, 0, is_taken=True, on_let_go=let_go))
            return
        if held.fence > lost.fence:
            return
        del self._held[lost.user_id]
        self.n_lost += lost.is_taken
        log.info("lease of a game lost user=%s fence=%d is_taken=%s", lost.user_id, held.fence, lost.is_taken)
        self._start(self._sessions.end_lost_game(lost.user_id, held.number, is_taken=lost.is_taken, on_let_go=let_go))

    async def let_go(self, user_id: str, episode_id: UUID | None) -> None:
        """Tell other servers that this one has let a game go, with the episode to continue, if any."""
        try:
            async with request_transaction(self._engine) as connection:
                await moved_episodes.release_game(connection, user_id, self._server_id, episode_id)
        except NotReady:
            log.warning("cannot let a game go, the other server continues without an answer user=%s", user_id)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
