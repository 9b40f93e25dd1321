"""Tests of the queries, and of the cost of long lists."""

from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.ids import new_episode_id, transition_id
from skill_arcade.storage.database.queries import (
    episode_transitions,
    find_episode,
    get_episode,
    get_user,
    list_episodes,
    list_games,
    list_recorded_ids,
    page_query,
    upsert_aliases,
    upsert_games,
    upsert_user,
)
from skill_arcade.storage.database.tables import EpisodeStatus

pytestmark = pytest.mark.anyio


async def add_episode(
    connection: AsyncConnection, user: str, game: str, status: str = "incomplete", unix_ms: int | None = None
) -> UUID:
    id_ = new_episode_id(unix_ms)
    await connection.execute(
        text(
            "INSERT INTO episode (id, user_id, game_id, seed, status, time_created) VALUES (:i, :u, :g, 7, :s, now())"
        ),
        {"i": id_, "u": user, "g": game, "s": status},
    )
    return id_


async def test_upsert_user_twice_inserts_one_row(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        assert await upsert_user(connection, "u1", "a@b.org") == "u1"
        assert await upsert_user(connection, "u1", "a@b.org") == "u1"
        row = await get_user(connection, "u1")
        assert row is not None
        assert row.email == "a@b.org"
        assert await get_user(connection, "u2") is None


async def test_upsert_user_with_new_server_key_keeps_id(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_user(connection, "old", "a@b.org")
        assert await upsert_user(connection, "new", "a@b.org") == "old"
        assert await get_user(connection, "new") is None


async def test_upsert_user_after_cleared_email_restores_it(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_user(connection, "u1", "a@b.org")
        await connection.execute(text("""UPDATE "user" SET email = NULL"""))
        assert await upsert_user(connection, "u1", "a@b.org") == "u1"
        row = await get_user(connection, "u1")
        assert row is not None
        assert row.email == "a@b.org"


async def test_upsert_aliases_keeps_stored_manifests_and_game_becomes_its_own_again(engine: AsyncEngine) -> None:
    lake = {"name": "Lake"}
    async with engine.begin() as connection:
        await upsert_games(connection, {"lake": lake, "lake-8x8": {"name": "Lake, 8 by 8"}, "lake-9x9": {}})
        aliases = {name: ("lake", {"map": name[5:]}, lake) for name in ("lake-8x8", "lake-9x9", "lake-7x7")}
        await upsert_aliases(connection, aliases)
        stored = {row.id: row for row in await list_games(connection)}
    assert [stored[name].config["name"] for name in sorted(aliases)] == ["Lake", "Lake, 8 by 8", "Lake"]
    assert {stored[name].alias_of for name in aliases} == {"lake"}
    assert stored["lake-8x8"].alias_options == {"map": "8x8"}
    assert (stored["lake"].alias_of, stored["lake"].alias_options) == (None, {})
    async with engine.begin() as connection:
        await upsert_aliases(connection, aliases)
        assert {row.id: row for row in await list_games(connection)} == stored
        assert await list_recorded_ids(connection, "lake") == ["lake", "lake-7x7", "lake-8x8", "lake-9x9"]
        assert await list_recorded_ids(connection, "lake-8x8") == ["lake-8x8"]
        await upsert_games(connection, {"lake-8x8": {"name": "Lake, 8 by 8"}})
        [again] = [row for row in await list_games(connection) if row.id == "lake-8x8"]
    assert (again.alias_of, again.alias_options) == (None, {})


async def test_upsert_games_updates_only_changed_manifests(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_games(connection, {"b": {"name": "B"}, "a": {"name": "A"}})
        first = {row.id: row for row in await list_games(connection)}
    async with engine.begin() as connection:
        await upsert_games(connection, {"a": {"name": "A"}, "b": {"name": "New"}})
        await upsert_games(connection, {})
        second = {row.id: row for row in await list_games(connection)}
    assert list(first) == list(second) == ["a", "b"]
    assert second["a"] == first["a"]
    assert second["b"].config == {"name": "New"}
    assert second["b"].time_updated > first["b"].time_updated
    assert second["b"].time_created == first["b"].time_created


async def test_list_episodes_returns_pages_newest_first(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_games(connection, {"pong": {"name": "Pong"}, "hanoi": {"name": "Tower of Hanoi"}})
        for name in ("u1", "u2"):
            await upsert_user(connection, name, f"{name}@b.org")
        episodes = []
        for i in range(10):
            status = "won" if i % 5 == 0 else "lost"
            episodes.append(await add_episode(connection, f"u{i % 2 + 1}", ("pong", "hanoi")[i % 2], status, 1000 + i))

        everything = [line.id for line in await list_episodes(connection)]
        assert everything == episodes[::-1]
        pages: list[UUID] = []
        while page := await list_episodes(connection, before=pages[-1] if pages else None, limit=4):
            pages += [line.id for line in page]
        assert pages == everything
        hanoi = await list_episodes(connection, game="hanoi")
        assert {line.game_name for line in hanoi} == {"Tower of Hanoi"}
        assert [line.id for line in hanoi] == episodes[::-1][::2]
        assert await list_episodes(connection, user="u2@b.org") == await list_episodes(connection, user="u2") == hanoi
        won = await list_episodes(connection, status=EpisodeStatus.won)
        assert [line.id for line in won] == [episodes[5], episodes[0]]
        assert [line.id for line in await list_episodes(connection, status=EpisodeStatus.won, user="u1")] == [
            episodes[0]
        ]
        assert await list_episodes(connection, game="none") == []


async def test_find_episode_by_prefix_requires_unique_hexadecimal(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_user(connection, "u1", "a@b.org")
        await upsert_games(connection, {"pong": {}})
        one = await add_episode(connection, "u1", "pong", unix_ms=1_700_000_000_000)
        two = await add_episode(connection, "u1", "pong", unix_ms=1_700_000_000_001)
        assert (await find_episode(connection, str(one))).id == one
        assert (await find_episode(connection, str(two)[:18].upper())).id == two
        with pytest.raises(InvalidRequest, match=r"Several .*'018b'"):
            await find_episode(connection, "018b")
        with pytest.raises(NotFound, match="'019'"):
            await find_episode(connection, "019")
        for wrong in ("", "xyz", "0" * 33):
            with pytest.raises(InvalidRequest, match="not an episode id"):
                await find_episode(connection, wrong)
        row = await get_episode(connection, one)
        assert (row.id, row.seed, row.email, row.game_name) == (one, 7, "a@b.org", "pong")
        with pytest.raises(NotFound, match="does not exist"):
            await get_episode(connection, new_episode_id())


async def test_episode_transitions_are_ordered_by_step(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_user(connection, "u1", "a@b.org")
        await upsert_games(connection, {"pong": {}})
        episode = await add_episode(connection, "u1", "pong")
        for step in (2, 0, 1):
            await connection.execute(
                text(
                    "INSERT INTO transition (id, episode_id, step, action, reward, time_created, server_us,"
                    " terminated, truncated, obs_key, next_obs_key)"
                    " VALUES (:i, :e, :s, 3, 0.5, now(), 0, false, false, '0/0', '0/1')"
                ),
                {"i": transition_id(episode, step), "e": episode, "s": step},
            )
        rows = await episode_transitions(connection, episode)
        assert [(row.step, row.action, row.reward, row.info) for row in rows] == [(s, 3, 0.5, None) for s in range(3)]


@pytest.mark.parametrize(
    ("user", "game", "status"), [(None, None, None), ("u7", None, None), (None, "g3", None), (None, None, "won")]
)
async def test_page_query_scans_one_index_without_sort(
    engine: AsyncEngine, user: str | None, game: str | None, status: EpisodeStatus | None
) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO \"user\" (id) SELECT 'u' || i FROM generate_series(0, 99) i"))
        await connection.execute(text("INSERT INTO game (id) SELECT 'g' || i FROM generate_series(0, 9) i"))
        await connection.execute(
            text(
                "INSERT INTO episode (id, user_id, game_id, seed, status, time_created)"
                " SELECT uuidv7(), 'u' || i % 100, 'g' || i % 10, 1,"
                " CASE WHEN i % 10 = 0 THEN 'won' ELSE 'lost' END::episode_status, now()"
                " FROM generate_series(1, 20000) i"
            )
        )
        await connection.execute(text("ANALYZE"))
        query = page_query(user, game and [game], status, new_episode_id(), 50)
        sql = query.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
        plan = "\n".join((await connection.execute(text(f"EXPLAIN {sql}"))).scalars())
    assert "Index Scan Backward using episode_" in plan
    assert "Sort" not in plan
    assert "Seq Scan on episode" not in plan
