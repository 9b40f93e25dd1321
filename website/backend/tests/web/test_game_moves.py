"""What a server does about games on other servers while the database does not answer (rule O31)."""

import asyncio
import time
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import NotReady, TakenOver
from skill_arcade.play.assignment import GameAssignment
from skill_arcade.play.connections.player_connections import PlayerConnection, PlayerLock
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.game_leases import take_lease
from skill_arcade.storage.database.queries import upsert_user
from skill_arcade.storage.objects.disk import DiskObjects
from skill_arcade.web import game_moves
from skill_arcade.web.game_leases import GameLeases
from skill_arcade.web.game_moves import GameMoves

pytestmark = pytest.mark.anyio
SERVER, USER = uuid4(), "ada"


class Leases:
    """Leases of a database that does not answer the first `n_failures` times."""

    def __init__(self, engine: AsyncEngine, n_failures: float) -> None:
        self._engine, self.n_failures = engine, n_failures

    async def find_or_take_fence(self, _: PlayerConnection) -> int:
        self.n_failures -= 1
        if self.n_failures >= 0:
            raise NotReady("The database does not answer.")
        async with transaction(self._engine) as connection:
            return await take_lease(connection, USER, SERVER, timedelta(seconds=60))


def open_moves(engine: AsyncEngine, leases: Leases, *, has_others: bool, tmp_path: Any) -> GameMoves:
    return GameMoves(
        engine,
        DiskObjects(tmp_path),
        cast(GameLeases, leases),
        SERVER,
        lost_seconds=60,
        resume_seconds=60,
        has_other_servers=lambda: has_others,
    )


async def claim(moves: GameMoves, told: list[None]) -> None:
    async def on_wait() -> None:
        told.append(None)

    connection = PlayerLock().register(USER, 1)
    assert await moves.claim_game(connection, cast(GameAssignment, None), on_wait) is None


async def test_O31_new_game_waits_for_the_database_while_other_servers_run(
    engine: AsyncEngine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(game_moves, "POLL_SECONDS", 0.01)
    async with transaction(engine) as connection:
        await upsert_user(connection, USER, "ada@example.org")
    leases, told = Leases(engine, 5), list[None]()
    await claim(open_moves(engine, leases, has_others=True, tmp_path=tmp_path), told)
    assert (leases.n_failures, told) == (-1, [None])


async def test_O31_new_game_starts_when_the_database_does_not_answer_in_time(
    engine: AsyncEngine, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(game_moves, "DATABASE_SECONDS", 0.3)
    leases, told, started_at = Leases(engine, float("inf")), list[None](), time.monotonic()
    async with asyncio.timeout(30):
        await claim(open_moves(engine, leases, has_others=True, tmp_path=tmp_path), told)
    assert (time.monotonic() - started_at >= 0.3, told) == (True, [None])


async def test_O31_only_server_does_not_wait_for_the_database(engine: AsyncEngine, tmp_path: Any) -> None:
    leases, told = Leases(engine, float("inf")), list[None]()
    await claim(open_moves(engine, leases, has_others=False, tmp_path=tmp_path), told)
    assert told == []


async def test_O25_lease_that_was_lost_is_not_taken_back(engine: AsyncEngine) -> None:
    leases = GameLeases(engine, SERVER, cast(Any, None), lost_seconds=60, pool_size=1)
    with pytest.raises(TakenOver):
        await leases.find_or_take_fence(PlayerLock().register(USER, 1))
