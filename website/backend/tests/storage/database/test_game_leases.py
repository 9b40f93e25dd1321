"""Leases of games: the newest taker has it, the one before is notified, and only the database's clock counts."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.game_leases import (
    CHANNEL,
    LostLease,
    delete_expired,
    read_notification,
    release_leases,
    renew_leases,
    restore_ticket,
    revoke_lease,
    spend_ticket,
    take_lease,
)
from skill_arcade.storage.database.moved_episodes import release_game
from skill_arcade.storage.database.queries import upsert_user
from tests.support.uploads import read_rows

pytestmark = pytest.mark.anyio
LIFETIME = timedelta(seconds=60)
ONE, TWO = uuid4(), uuid4()


@pytest.fixture
async def player(engine: AsyncEngine) -> str:
    async with transaction(engine) as connection:
        return await upsert_user(connection, "ada", "ada@example.org")


async def take(engine: AsyncEngine, user_id: str, server: Any) -> int:
    async with transaction(engine) as connection:
        return await take_lease(connection, user_id, server, LIFETIME)


async def renew(engine: AsyncEngine, server: Any, fences: dict[str, int]) -> list[LostLease]:
    async with transaction(engine) as connection:
        return await renew_leases(connection, server, fences, LIFETIME)


async def test_O25_taker_has_the_lease_and_the_one_before_is_notified_once(engine: AsyncEngine, player: str) -> None:
    payloads: asyncio.Queue[str] = asyncio.Queue()
    async with engine.connect() as listening:
        driver: Any = (await listening.get_raw_connection()).driver_connection
        await driver.add_listener(CHANNEL, lambda *received: payloads.put_nowait(received[-1]))
        first = await take(engine, player, ONE)
        again = await take(engine, player, ONE)
        second = await take(engine, player, TWO)
        assert first < again < second
        payload = await asyncio.wait_for(payloads.get(), 5)
        assert read_notification(payload, ONE) == LostLease(player, second, is_taken=True)
        assert read_notification(payload, TWO) is None
        async with transaction(engine) as connection:
            await revoke_lease(connection, player)
            await revoke_lease(connection, player)
        assert read_notification(await asyncio.wait_for(payloads.get(), 5), TWO) == LostLease(
            player, second, is_taken=False
        )
        assert payloads.empty()
        await listening.invalidate()
    assert await take(engine, player, ONE) > second  # also after the row was deleted


async def test_O25_renewal_finds_what_was_taken_and_what_was_revoked(engine: AsyncEngine, player: str) -> None:
    fence = await take(engine, player, ONE)
    assert await renew(engine, ONE, {player: fence}) == []
    assert await renew(engine, ONE, {player: fence, "gone": 1}) == [LostLease("gone", 1, is_taken=False)]
    await take(engine, player, TWO)
    assert await renew(engine, ONE, {player: fence}) == [LostLease(player, fence, is_taken=True)]


async def test_O25_expired_lease_that_nobody_took_is_renewed(engine: AsyncEngine, player: str) -> None:
    fence = await take(engine, player, ONE)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE game_lease SET time_expires = now() - interval '10 minutes'"))
    async with transaction(engine) as connection:
        await delete_expired(connection)
    assert await renew(engine, ONE, {player: fence}) == []
    assert await read_rows(engine, "SELECT time_expires > now() FROM game_lease") == [(True,)]


async def test_O25_release_leaves_a_newer_lease(engine: AsyncEngine, player: str) -> None:
    old = await take(engine, player, ONE)
    new = await take(engine, player, ONE)
    async with transaction(engine) as connection:
        await release_leases(connection, ONE, {player: old})
    assert await renew(engine, ONE, {player: new}) == []
    async with transaction(engine) as connection:
        await release_leases(connection, ONE, {player: new})
    assert await read_rows(engine, "SELECT * FROM game_lease") == []


async def test_O30_release_leaves_a_lease_that_says_which_episode_waits(engine: AsyncEngine, player: str) -> None:
    fence, episode = await take(engine, player, ONE), uuid4()
    async with transaction(engine) as connection:
        await connection.execute(text("UPDATE game_lease SET game_server_id = :server"), {"server": ONE})
        await release_game(connection, player, ONE, episode)
        await release_leases(connection, ONE, {player: fence})
    assert await read_rows(engine, "SELECT game_server_id, moved_episode_id FROM game_lease") == [(None, episode)]


async def test_O25_concurrent_takers_get_different_fences_and_the_greatest_has_the_lease(
    engine: AsyncEngine, player: str
) -> None:
    payloads: asyncio.Queue[str] = asyncio.Queue()
    async with engine.connect() as listening:
        driver: Any = (await listening.get_raw_connection()).driver_connection
        await driver.add_listener(CHANNEL, lambda *received: payloads.put_nowait(received[-1]))
        for _ in range(20):
            servers = [uuid4() for _ in range(6)]
            fences = await asyncio.gather(*(take(engine, player, server) for server in servers))
            owners = [server for _, server in sorted(zip(fences, servers, strict=True))]
            assert len(set(fences)) == 6
            assert await read_rows(engine, "SELECT server_id, fence FROM game_lease") == [(owners[-1], max(fences))]
            for owner, fence in zip(owners, sorted(fences)[1:], strict=False):
                payload = await asyncio.wait_for(payloads.get(), 5)
                assert read_notification(payload, owner) == LostLease(player, fence, is_taken=True)
            async with transaction(engine) as connection:
                await release_leases(connection, owners[-1], {player: max(fences)})


async def test_O25_ticket_is_spent_once_by_concurrent_servers(engine: AsyncEngine) -> None:
    async def spend() -> bool:
        async with transaction(engine) as connection:
            return await spend_ticket(connection, "nonce", LIFETIME)

    assert sorted(await asyncio.gather(*(spend() for _ in range(5)))) == [False, False, False, False, True]
    async with transaction(engine) as connection:
        await restore_ticket(connection, "nonce")
    assert await spend()
    async with transaction(engine) as connection:
        await delete_expired(connection)
    assert not await spend()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE spent_ticket SET time_expires = now() - interval '1 s'"))
    async with transaction(engine) as connection:
        await delete_expired(connection)
    assert await spend()
