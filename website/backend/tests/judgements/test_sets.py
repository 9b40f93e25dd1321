"""Sets are drawn from what players allow (rule R38), and what is erased or withdrawn leaves them (rule R39)."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.consent.documents import load_documents
from skill_arcade.errors import InvalidRequest, NameTaken, NotFound
from skill_arcade.games.catalogue import Catalogue, load_catalogue
from skill_arcade.storage.database.consents import withdraw_scopes
from skill_arcade.storage.database.dataset_versions import save_version
from skill_arcade.storage.database.erasures import begin_erasure, erase_episode, finish_erasure
from skill_arcade.storage.database.judgements import list_allowed_items, list_results
from skill_arcade.storage.database.queries import upsert_user
from tests.support.consent import write_consent
from tests.support.judging import count_rows, draw_set, write_answer
from tests.support.recorded_episode import RecordedEpisode, record_episode

pytestmark = pytest.mark.anyio
PLAYERS = ("ada", "eva", "bot")
SCOPES = ["research"]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    games = load_catalogue().games
    return Catalogue(MappingProxyType({"pong": games["pong"]}), MappingProxyType({}))


@pytest.fixture
async def episodes(database_url: URL, tmp_path: Path, engine: AsyncEngine) -> dict[str, RecordedEpisode]:
    """An episode of two people each, and of a program."""
    recorded = {
        user: await asyncio.to_thread(
            record_episode, database_url, tmp_path, user=user, status="lost" if user == "eva" else "won"
        )
        for user in PLAYERS
    }
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE \"user\" SET is_synthetic = true WHERE id = 'bot'"))
        for judge in ("judy", "joan"):
            await upsert_user(connection, judge, f"{judge}@example.org")
    return recorded


async def list_drawn(connection: AsyncConnection, name: str) -> set[UUID]:
    query = text("SELECT DISTINCT episode_id FROM judgement_clip WHERE set_name = :name")
    return set((await connection.execute(query, {"name": name})).scalars())


def ids(episodes: dict[str, RecordedEpisode], users: Sequence[str]) -> set[UUID]:
    return {episodes[user].id for user in users}


@pytest.mark.parametrize(
    ("sources", "users"),
    [(["people"], ["ada", "eva"]), (["programs"], ["bot"]), (["people", "programs"], ["ada", "eva", "bot"])],
)
async def test_clips_are_of_the_sources(
    sources: list[str],
    users: list[str],
    episodes: dict[str, RecordedEpisode],
    catalogue: Catalogue,
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await draw_set(connection, catalogue, "pairs", sources=sources, items=12)
        assert await list_drawn(connection, "pairs") == ids(episodes, users)


async def test_same_specification_draws_the_same_set(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        first = await draw_set(connection, catalogue, "first", seed=5)
        again = await draw_set(connection, catalogue, "again", seed=5)
        other = await draw_set(connection, catalogue, "other", seed=6)
        assert first.sha256 == again.sha256 != other.sha256
        with pytest.raises(NameTaken):
            await draw_set(connection, catalogue, "first", seed=7)
    assert (first.n_items, first.n_repeats, first.n_frames, first.frames_per_second) == (4, 1, 6, 60)


async def test_branches_takeovers_running_episodes_and_missing_pictures_are_left_out(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    changes = (
        "UPDATE episode SET provenance = provenance || '{\"takeover\": {}}' WHERE user_id = 'ada'",
        "UPDATE episode SET provenance = provenance || '{\"branch\": {}}' WHERE user_id = 'ada'",
        "UPDATE episode SET time_ended = NULL WHERE user_id = 'ada'",
        "UPDATE segment SET n_frames = n_frames - 1 WHERE number = 1 AND episode_id IN "
        "(SELECT id FROM episode WHERE user_id = 'ada')",
    )
    for number, change in enumerate(changes):
        async with engine.connect() as connection:  # rolled back
            await connection.execute(text(change))
            await draw_set(connection, catalogue, f"set-{number}", branches=False)
            assert await list_drawn(connection, f"set-{number}") == ids(episodes, ["eva"])
    async with engine.begin() as connection:
        await connection.execute(text(changes[1]))
        await draw_set(connection, catalogue, "with-branches", items=12)
        assert await list_drawn(connection, "with-branches") == ids(episodes, ["ada", "eva"])


async def test_clips_of_a_saved_dataset_are_of_that_version(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    from skill_arcade.export.saved_datasets import make_new_version  # noqa: PLC0415  (imports the exports)

    async with engine.begin() as connection:
        new = make_new_version("evas", "research", {}, where="status = 'lost'", filters=None)
        await save_version(connection, new)
        made = await draw_set(connection, catalogue, "pairs", dataset="evas")
        assert made.content["dataset"] == "evas@1"
        assert await list_drawn(connection, "pairs") == ids(episodes, ["eva"])
        with pytest.raises(NotFound):
            await draw_set(connection, catalogue, "others", dataset="nobodys")


@pytest.mark.parametrize("fields", [{"seconds": 0.01}, {"seconds": 1}, {"game": "chess"}])
async def test_impossible_set_is_refused(
    fields: dict[str, Any], episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        with pytest.raises((InvalidRequest, NotFound)):
            await draw_set(connection, catalogue, "pairs", **fields)
        assert (await count_rows(connection))["judgement_set"] == 0


async def allow(connection: AsyncConnection, user: str, scopes: tuple[str, ...]) -> None:
    consent = await write_consent(connection, user, scopes)
    await connection.execute(
        text("UPDATE episode SET consent_id = CAST(:consent AS uuid) WHERE user_id = :user"),
        {"consent": consent, "user": user},
    )


async def withdraw(connection: AsyncConnection, user: str, *scopes: str) -> None:
    document = load_documents(None).find("en").sha256
    await withdraw_scopes(connection, user, scopes, document=document, build="test")


@pytest.mark.parametrize(
    ("audience", "scopes", "is_drawn"),
    [
        ("researchers", ("research",), True),
        ("researchers", ("boards", "publication"), False),
        ("everyone", ("research",), False),
        ("everyone", ("boards",), False),
        ("everyone", ("research", "boards"), True),
    ],
)
async def test_R38_clips_are_drawn_of_players_who_allow_it(
    audience: str,
    scopes: tuple[str, ...],
    is_drawn: bool,
    episodes: dict[str, RecordedEpisode],
    catalogue: Catalogue,
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await allow(connection, "ada", scopes)
        await draw_set(connection, catalogue, "pairs", audience=audience, items=12)
        assert await list_drawn(connection, "pairs") == ids(episodes, ["ada", "eva"] if is_drawn else ["eva"])


async def test_R38_withdrawal_takes_clips_out_of_sight_and_out_of_results(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await allow(connection, "ada", ("research", "boards", "publication"))
        await draw_set(connection, catalogue, "pairs", audience="everyone")
        await write_answer(connection, "pairs", 0, "judy")
    everyone = ["research", "boards"]
    async with engine.begin() as connection:
        assert len(await list_allowed_items(connection, "pairs", everyone)) == 5
        await withdraw(connection, "ada", "boards")
        assert await list_allowed_items(connection, "pairs", everyone) == {}
        assert len(await list_results(connection, "pairs", SCOPES)) == 1
        assert len(await list_results(connection, "pairs", ["publication"])) == 1
        await withdraw(connection, "ada", "publication")
        assert await list_results(connection, "pairs", ["publication"]) == []
        await withdraw(connection, "ada", "research")
        assert await list_results(connection, "pairs", SCOPES) == []


@pytest.mark.parametrize("kind", ["pair", "rating"])
async def test_R38_login_of_a_researcher_reads_results_of_allowed_clips_only(
    kind: str, episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await allow(connection, "ada", ("research",))
        await draw_set(connection, catalogue, "clips", kind=kind, items=12, sources=["people", "programs"], gold=0)
        query = text("SELECT number FROM judgement_clip GROUP BY number HAVING bool_or(episode_id = :id)")
        of_ada = set((await connection.execute(query, {"id": episodes["ada"].id})).scalars())
        numbers = set((await connection.execute(text("SELECT number FROM judgement_item"))).scalars())
        for number in numbers:
            await write_answer(connection, "clips", number, "judy", "skip")
    for withdrawn in (False, True):
        async with engine.begin() as connection:
            if withdrawn:
                await withdraw(connection, "ada", "research")
            await connection.execute(text("SET LOCAL ROLE researcher"))
            expected = numbers - of_ada if withdrawn else numbers
            assert {row.number for row in await list_results(connection, "clips", SCOPES)} == expected
            assert set(await list_allowed_items(connection, "clips", SCOPES)) == expected
    assert numbers > of_ada


async def test_R39_erased_episode_takes_its_items_and_their_answers_along(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await draw_set(connection, catalogue, "pairs", sources=["people", "programs"], items=12, gold=0)
        query = text("SELECT number, bool_or(episode_id = :id) FROM judgement_clip GROUP BY number")
        items = {row[0]: row[1] for row in await connection.execute(query, {"id": episodes["ada"].id})}
        for number in items:
            assert await write_answer(connection, "pairs", number, "judy")
    assert set(items.values()) == {True, False}
    async with engine.begin() as connection:
        await erase_episode(connection, episodes["ada"].id)
        kept = set((await connection.execute(text("SELECT number FROM judgement_item"))).scalars())
        assert kept == {number for number, is_of_episode in items.items() if not is_of_episode}
        n_kept = len(kept)
        assert await count_rows(connection) == {
            "judgement_set": 1,
            "judgement_item": n_kept,
            "judgement_clip": 2 * n_kept,
            "judgement": n_kept,
        }
        assert not await write_answer(connection, "pairs", (set(items) - kept).pop(), "joan")


async def test_erased_judge_leaves_the_answers_of_others(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await draw_set(connection, catalogue, "pairs")
        for judge in ("judy", "joan"):
            await write_answer(connection, "pairs", 0, judge)
        await begin_erasure(connection, "judy")
        await finish_erasure(connection, "judy")
        assert [row.user_id for row in await list_results(connection, "pairs", SCOPES)] == ["joan"]
        assert (await count_rows(connection))["judgement_clip"] == 10


async def test_judge_who_withdraws_research_takes_their_answers_along(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await draw_set(connection, catalogue, "pairs")
        for judge in ("judy", "joan"):
            consent = await write_consent(connection, judge)
            await write_answer(connection, "pairs", 0, judge, consent_id=UUID(consent))
        await withdraw(connection, "judy", "boards")
        assert len(await list_results(connection, "pairs", SCOPES)) == 2
        await withdraw(connection, "judy", "research")
        assert [row.user_id for row in await list_results(connection, "pairs", SCOPES)] == ["joan"]


async def test_answer_that_arrives_after_the_withdrawal_is_not_stored(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await draw_set(connection, catalogue, "pairs")
        consent = UUID(await write_consent(connection, "judy"))
    async with engine.begin() as answering:
        assert await write_answer(answering, "pairs", 0, "judy", consent_id=consent)

        async def withdraw_meanwhile() -> None:
            async with engine.begin() as connection:
                await withdraw(connection, "judy", "research")

        withdrawal = asyncio.create_task(withdraw_meanwhile())
        done, _ = await asyncio.wait([withdrawal], timeout=0.3)
        assert not done  # it waits for the answer
    await withdrawal
    async with engine.begin() as connection:
        assert not await write_answer(connection, "pairs", 1, "judy", consent_id=consent)
        assert (await count_rows(connection))["judgement"] == 0


async def test_answers_of_programs_count_only_if_asked(
    episodes: dict[str, RecordedEpisode], catalogue: Catalogue, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await draw_set(connection, catalogue, "pairs")
        await write_answer(connection, "pairs", 0, "judy")
        await write_answer(connection, "pairs", 0, "bot")
        assert [row.user_id for row in await list_results(connection, "pairs", SCOPES)] == ["judy"]
        assert len(await list_results(connection, "pairs", SCOPES, has_programs=True)) == 2
