"""Agents in the database: versions never change, tokens are hashes, and owners can go."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.agent_version import matches
from skill_arcade.errors import InvalidRequest, NotFound
from skill_arcade.storage.database.agents import (
    MAX_TOKENS,
    add_version,
    check_agent_version,
    find_token_owner,
    issue_token,
    list_agents,
    revoke_tokens,
)
from skill_arcade.storage.database.erasures import begin_erasure, erase_episode, finish_erasure
from skill_arcade.storage.database.queries import get_user, upsert_user
from tests.support.agents import add_agent, add_agent_episode, make_facts
from tests.support.journals import write_episode
from tests.support.session_harness import upload_all

pytestmark = pytest.mark.anyio


async def test_version_with_other_facts_is_a_new_one_and_equal_facts_add_none(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        user_id, first = await add_version(connection, "deep-red", make_facts(), summary="Plays.")
        changes: list[dict[str, Any]] = [
            {"sha256": "cd" * 32},
            {"observation": "atari"},
            {"action_map": (0, 2)},
            {"training": {"frames": 5}},
        ]
        numbers = [(await add_version(connection, "deep-red", make_facts(**one)))[1] for one in changes]
        again = [(await add_version(connection, "deep-red", make_facts(**one)))[1] for one in [{}, *changes]]
        (row,) = await list_agents(connection, 10)
        user = await get_user(connection, user_id)
    assert (first, numbers, again) == (1, [2, 3, 4, 5], [1, 2, 3, 4, 5])
    assert (row.name, row.summary, row.number) == ("deep-red", "Plays.", 5)
    assert user is not None
    assert (user.is_synthetic, user.email) == (True, "deep-red@programs.example.org")


async def test_version_cannot_be_changed(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await add_agent(connection)
    with pytest.raises(DBAPIError, match="versions of agents never change"):
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE agent_version SET sha256 = 'x'"))


async def test_name_of_a_person_is_refused(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_user(connection, "u1", "deep-red@programs.example.org")
        with pytest.raises(InvalidRequest, match=r"A person has signed in as deep-red@programs"):
            await add_version(connection, "deep-red", make_facts())


async def test_program_that_played_under_the_name_becomes_the_agent(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_user(connection, "p1", "deep-red@programs.example.org", is_synthetic=True)
        assert (await add_version(connection, "deep-red", make_facts()))[0] == "p1"


async def test_token_is_stored_as_a_hash_until_it_is_revoked(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        user_id, _ = await add_agent(connection)
        tokens = [await issue_token(connection, user_id) for _ in range(MAX_TOKENS)]
        with pytest.raises(InvalidRequest, match="at most 10 valid tokens"):
            await issue_token(connection, user_id)
        assert [await find_token_owner(connection, token) for token in tokens] == [user_id] * MAX_TOKENS
        assert await find_token_owner(connection, "agent-nonsense") is None
        stored = str((await connection.execute(text("SELECT * FROM agent_token"))).all())
        assert not any(token in stored or token.removeprefix("agent-") in stored for token in tokens)
        assert await revoke_tokens(connection, user_id) == MAX_TOKENS
        assert {await find_token_owner(connection, token) for token in tokens} == {None}
        assert (await get_user(connection, user_id)).time_signed_out is not None  # type: ignore[union-attr]


async def test_owner_is_a_person_and_their_erasure_stops_the_agent(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await upsert_user(connection, "ada", "ada@example.org")
        with pytest.raises(NotFound, match=r"No person has signed in as 'eva@example.org'"):
            await add_version(connection, "deep-red", make_facts(), owner="eva@example.org")
        user_id, _ = await add_version(connection, "deep-red", make_facts(), owner="Ada@example.org")
        token = await issue_token(connection, user_id)
        owner = text("SELECT owner_id FROM agent")
        assert (await connection.execute(owner)).scalar() == "ada"
    async with engine.begin() as connection:
        assert await begin_erasure(connection, "ada")
        assert await find_token_owner(connection, token) is None
        assert (await get_user(connection, user_id)).time_signed_out is not None  # type: ignore[union-attr]
        await finish_erasure(connection, "ada")
        assert (await connection.execute(owner)).all() == [(None,)]


async def test_erasure_of_an_agent_deletes_versions_and_tokens(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        agent = await add_agent(connection)
        await issue_token(connection, agent[0])
        episode = await add_agent_episode(connection, agent, 1.0)
        assert await begin_erasure(connection, agent[0])
        await erase_episode(connection, episode)
        await finish_erasure(connection, agent[0])
        for table in ("agent", "agent_version", "agent_token"):
            assert (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar() == 0


async def test_episode_can_only_name_a_version_of_its_own_agent(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        one, version = await add_agent(connection)
        other, _ = await add_agent(connection, "deep-green")
        assert await check_agent_version(connection, version, one) == version
        assert await check_agent_version(connection, version, other) is None


@pytest.mark.parametrize(
    ("patterns", "game", "expected"),
    [
        (["pong"], "pong", True),
        (["pong"], "breakout", False),
        (["babyai-*", "!babyai-key-in-box"], "babyai-go-to", True),
        (["babyai-*", "!babyai-key-in-box"], "babyai-key-in-box", False),
        (["!pong"], "breakout", False),
    ],
)
def test_patterns_include_and_exclude_games(patterns: list[str], game: str, expected: bool) -> None:
    assert matches(patterns, game) is expected


async def test_R36_uploaded_episode_points_to_the_version_of_its_own_player_only(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    async with engine.begin() as connection:
        one, own = await add_agent(connection)
        _, foreign = await add_agent(connection, "deep-green")
    expected, headers = [own, None, None, None], []
    for version in (own, foreign, uuid4(), None):
        agent = {"version_id": str(version), "name": "deep-red", "version": 1, "sha256": "ab" * 32}
        provenance = {} if version is None else {"agent": agent}
        headers.append(write_episode(tmp_path / "journal", segments=(3, 2), user_id=one, provenance=provenance)[0])
    await upload_all(tmp_path / "journal", tmp_path / "objects", engine)
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT id, agent_version_id FROM episode"))
        found = {row.id: row.agent_version_id for row in rows}
    assert [found[header.episode_id] for header in headers] == expected
