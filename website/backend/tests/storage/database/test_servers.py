"""Servers with a heartbeat: whose journals are recovered, and when."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.servers import RECOVERY_GRACE, add_server, list_lost_journals

FACTS = {"address": "127.0.0.1", "revision": "", "max_games": 4, "socket_origin": None}


@pytest.mark.anyio
async def test_journal_is_recovered_only_after_waiting_players_had_time(engine: AsyncEngine) -> None:
    """A player who waits for the lost server's game asks every 0.1 s, so the game goes on and is not ended."""
    journal, restarted = uuid4(), uuid4()
    async with transaction(engine) as connection:
        for one in (journal, restarted):
            await add_server(connection, uuid4(), one, timedelta(seconds=-1), **FACTS)
        assert await list_lost_journals(connection) == set()
        expired = text("UPDATE server SET time_expires = now() - CAST(:ago AS interval)")
        await connection.execute(expired, {"ago": RECOVERY_GRACE + timedelta(seconds=1)})
        assert await list_lost_journals(connection) == {journal, restarted}
        await add_server(connection, uuid4(), restarted, timedelta(seconds=30), **FACTS)
        assert await list_lost_journals(connection) == {journal}


@pytest.mark.anyio
async def test_journal_of_an_earlier_lost_server_waits_for_the_players_of_the_one_after_it(engine: AsyncEngine) -> None:
    journal = uuid4()
    async with transaction(engine) as connection:
        for ago in (RECOVERY_GRACE + timedelta(minutes=1), timedelta(seconds=1)):
            await add_server(connection, uuid4(), journal, -ago, **FACTS)
        assert await list_lost_journals(connection) == set()
