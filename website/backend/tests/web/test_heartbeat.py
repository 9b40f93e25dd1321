"""The heartbeat and the leases: what they cost the database, and what they do while it does not answer."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.certify.pool import Workers
from skill_arcade.certify.process import certify_some, keep_boards
from skill_arcade.play.connections.player_connections import PlayerConnection
from skill_arcade.storage.database.engine import create_engine
from skill_arcade.storage.database.queries import upsert_user
from skill_arcade.storage.database.work import Worker, WorkKind, poll_pause
from skill_arcade.uploader.account_eraser import AccountEraser
from skill_arcade.web.game_leases import RENEWALS_PER_LIFETIME
from skill_arcade.web.heartbeat import BEATS_PER_LIFETIME
from tests.support.uploads import read_rows
from tests.web.conftest import Visitor

pytestmark = pytest.mark.anyio
N_GAMES = 40
MAX_STATEMENTS_PER_SECOND = 50
"""Of ten servers."""


@contextmanager
def counting_statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """Collect the statements of an engine, without BEGIN and COMMIT."""
    statements: list[str] = []

    def on_execute(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", on_execute)
    try:
        yield statements
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", on_execute)


async def count_idle_polls(arcade: Visitor) -> float:
    """Return the statements per second of the eraser and the certifier while nothing waits, before they slow down."""
    state = arcade.state
    with counting_statements(state.engine) as erasing:
        await AccountEraser(state.settings.journal_folder, state.objects, state.engine).erase_all()
    with counting_statements(state.engine) as certifying, closing(Workers(state.settings, 1)) as workers:
        queue = Worker(state.engine, [WorkKind.CERTIFY])
        assert await certify_some(queue, workers, state.engine, asyncio.Event()) == 0
        await keep_boards(state.engine, is_idle=False)
    return (len(erasing) + len(certifying)) / poll_pause(0)


async def hold(arcade: Visitor, user_id: str, release: asyncio.Event, held: asyncio.Semaphore) -> None:
    sessions = arcade.state.sessions
    connection: PlayerConnection = sessions.register_connection(user_id, sessions.next_connection_id())
    async with arcade.state.leases.holding(connection):
        held.release()
        await release.wait()


async def test_ten_servers_with_all_games_taken_need_few_statements(arcade: Visitor) -> None:
    state, release, held = arcade.state, asyncio.Event(), asyncio.Semaphore(0)
    async with state.engine.begin() as connection:
        for number in range(N_GAMES):
            await upsert_user(connection, f"player{number}", f"{number}@example.org")
    await state.heartbeat.register()
    async with state.engine.begin() as connection:
        await connection.execute(text("UPDATE server SET time_steady = now() - interval '1 hour'"))
    async with asyncio.TaskGroup() as group:
        for number in range(N_GAMES):
            group.create_task(hold(arcade, f"player{number}", release, held))
        for _ in range(N_GAMES):
            await held.acquire()
        with counting_statements(state.engine) as beats:
            await state.heartbeat.beat(N_GAMES)
        with counting_statements(state.engine) as renewals:
            await state.leases.renew()
        release.set()
    assert any("UPDATE game_lease" in statement for statement in renewals)
    assert any("server-lost" in statement for statement in beats)
    lifetime = state.settings.server_lost_seconds
    per_second = (len(beats) * BEATS_PER_LIFETIME + len(renewals) * RENEWALS_PER_LIFETIME) / lifetime
    per_second += await count_idle_polls(arcade)
    assert 10 * per_second < MAX_STATEMENTS_PER_SECOND, (beats, renewals)
    with counting_statements(state.engine) as released:
        await state.leases.renew()
    assert len(released) == 1
    assert await read_rows(state.engine, "SELECT * FROM game_lease") == []
    with counting_statements(state.engine) as idle:
        await state.leases.renew()
    assert idle == []


async def test_server_that_the_database_forgot_is_added_again(arcade: Visitor) -> None:
    state = arcade.state
    await state.heartbeat.register()
    async with state.engine.begin() as connection:
        await connection.execute(text("DELETE FROM server"))
    await state.heartbeat.beat(0)
    await state.heartbeat.beat(3)
    assert await read_rows(state.engine, "SELECT id, games FROM server") == [(state.heartbeat.server_id, 3)]
    await state.heartbeat.end()
    assert await read_rows(state.engine, "SELECT time_ended IS NOT NULL FROM server") == [(True,)]


async def test_O25_lease_that_could_not_be_taken_is_taken_when_the_database_answers(
    arcade: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, release, held = arcade.state, asyncio.Event(), asyncio.Semaphore(0)
    async with state.engine.begin() as connection:
        await upsert_user(connection, "ada", "ada@example.org")
    leases = "SELECT user_id, server_id FROM game_lease"
    async with asyncio.TaskGroup() as group:
        with monkeypatch.context() as patch:
            patch.setattr(state.leases, "_engine", unreachable(state.engine))
            group.create_task(hold(arcade, "ada", release, held))
            await asyncio.wait_for(held.acquire(), 20)
        assert await read_rows(state.engine, leases) == []
        await state.leases.renew()
        assert await read_rows(state.engine, leases) == [("ada", state.heartbeat.server_id)]
        release.set()


def unreachable(engine: AsyncEngine) -> AsyncEngine:
    """Return an engine for a Postgres that does not answer."""
    return create_engine(engine.url.set(host="127.0.0.1", port=9, query={}), 1)
