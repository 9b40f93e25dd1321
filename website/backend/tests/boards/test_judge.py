"""Which stored episodes stand on boards, in which season, and what opting out, reviews and erasures change."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import URL, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.boards.daily import commit_to, derive_seed
from skill_arcade.boards.judge import decide, freeze_ended_seasons, judge_queue
from skill_arcade.boards.seasons import name_season
from skill_arcade.certify.process import store_verdict
from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.errors import NotFound
from skill_arcade.storage.database.board_pages import find_current_board, find_standing, list_standings
from skill_arcade.storage.database.boards import (
    add_player,
    enqueue_episode,
    enqueue_user,
    find_entry,
    list_reviewable,
    remove_player,
    report_name,
)
from skill_arcade.storage.database.erasures import begin_erasure, erase_episode, finish_erasure, reopen_erasure
from tests.conftest import opened_engine
from tests.support.board_data import TABLES, add_episode, add_user
from tests.support.session_harness import SessionHarness, upload_all

pytestmark = pytest.mark.anyio
NOW = datetime.now(UTC)
TODAY = NOW.date()
KEY = "5a" * 32


async def opt_in(connection: AsyncConnection, *users: str) -> None:
    for user in users:
        await add_user(connection, user)
        await add_player(connection, user, user.title(), user, is_chosen=True)
        await enqueue_user(connection, user)


async def read_board(
    connection: AsyncConnection, season: str = "all", game: str = "lake", settings: str = ""
) -> list[tuple[int, str, float]]:
    board = await find_current_board(connection, game, settings)
    rows = [] if board is None else await list_standings(connection, board.id, season, 50)
    return [(row.rank, row.name, row.score) for row in rows]


async def read_rejections(connection: AsyncConnection) -> dict[UUID, str | None]:
    entry = TABLES["board_entry"]
    return {row[0]: row[1] for row in await connection.execute(select(entry.c.episode_id, entry.c.rejection))}


async def test_best_episode_of_each_player_stands_and_earlier_one_leads_a_tie(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await add_episode(connection, "ada", 5)
        await add_episode(connection, "ada", 9, at=NOW - timedelta(seconds=5))
        await add_episode(connection, "eva", 9, at=NOW - timedelta(seconds=9))
        await add_episode(connection, "max", 7)
        await add_episode(connection, "not-listed", 99)
        await opt_in(connection, "ada", "eva", "max")
    assert await judge_queue(engine) == 4
    async with engine.begin() as connection:
        assert await read_board(connection) == [(1, "Eva", 9), (2, "Ada", 9), (3, "Max", 7)]
        board = await find_current_board(connection, "lake", "")
        assert board is not None
        for rank, user in enumerate(("eva", "ada", "max"), 1):
            standing = await find_standing(connection, board.id, "all", user)
            assert standing is not None
            assert standing.rank == rank
        # The worse episode is kept.
        assert len(await read_rejections(connection)) == 4


FORGERIES: dict[str, dict[str, Any]] = {
    "uncertified": {"certificate": None},
    "forged": {"certificate": "mismatch"},
    "irreproducible": {"certificate": "irreproducible"},
    "unfinished": {"end_reason": "left", "status": "incomplete"},
    "crashed": {"end_reason": "crashed", "status": "incomplete"},
    "foreign version": {"version": "1.3.0", "certified_version": "1.4.0"},
    "agent": {"provenance": {"agent": "v1"}},
    "branched": {"provenance": {"parent": "0199"}},
    "of no page": {"provenance": {"player": None}},
    "slowed": {"game": "pong", "speed": 0.8},
    "sped up": {"game": "pong", "speed": 1.3},
    "no score": {"score": float("nan")},
    "invented challenge": {"provenance": {"daily": TODAY.isoformat()}},
}


async def test_forged_slowed_branched_foreign_and_unfinished_episodes_never_stand(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for number, (name, changes) in enumerate(FORGERIES.items()):
            arguments = {"score": 1000.0 + number, **changes}
            await add_episode(connection, name, **arguments)
        await add_episode(connection, "bot", 5000)
        await connection.execute(update(TABLES["user"]).where(TABLES["user"].c.id == "bot").values(is_synthetic=True))
        await add_episode(connection, "ada", 1)
        await add_episode(connection, "ada", 1, game="pong")
        await opt_in(connection, *FORGERIES, "bot", "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        for game in ("lake", "pong"):
            for season in ("all", name_season("today", NOW), name_season("week", NOW)):
                assert await read_board(connection, season, game) == [(1, "Ada", 1)]
        standing = TABLES["board_standing"]
        assert set((await connection.execute(select(standing.c.user_id))).scalars()) == {"ada"}
        rejections = [rejection for rejection in (await read_rejections(connection)).values() if rejection is not None]
        # An episode without a certificate has not been queued yet.
        assert len(rejections) == len(FORGERIES)


async def test_new_certificate_that_differs_takes_the_episode_off_the_board(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await add_episode(connection, "ada", 3)
        best = await add_episode(connection, "ada", 9)
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        values = {"episode_id": best, "result": "mismatch", "reason": "", "n_steps": 1, "seconds": 1, "versions": {}}
        later = datetime.now(UTC) + timedelta(seconds=5)
        await connection.execute(insert(TABLES["certificate"]).values(**values, time_created=later))
        await enqueue_episode(connection, best)
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection) == [(1, "Ada", 3)]


async def test_settings_and_editions_have_boards_of_their_own_and_the_newest_edition_is_shown(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await add_episode(connection, "ada", 9, version="1.3.0", at=NOW - timedelta(seconds=60))
        await add_episode(connection, "ada", 2, provenance={"options": {"mode": "4"}}, kwargs={"mode": 4})
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection) == [(1, "Ada", 9)]
        assert await read_board(connection, settings="mode=4") == [(1, "Ada", 2)]
        await add_episode(connection, "eva", 1)
        await opt_in(connection, "eva")
    await judge_queue(engine)
    async with engine.begin() as connection:
        # Ada's episode of the older version is hidden, and kept.
        assert await read_board(connection) == [(1, "Eva", 1)]
        assert len((await connection.execute(select(TABLES["board"]))).all()) == 3


async def test_seasons_have_the_episodes_that_ended_in_them(engine: AsyncEngine) -> None:
    monday = datetime(2026, 11, 23, 12, tzinfo=UTC)
    async with engine.begin() as connection:
        for score, at in ((9, monday - timedelta(days=7)), (7, monday), (5, monday + timedelta(days=2))):
            await add_episode(connection, "ada", score, at=at)
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        seasons = {"2026-W47": 9, "2026-W48": 7, "2026-11-16": 9, "2026-11-23": 7, "2026-11-25": 5, "all": 9}
        for season, score in seasons.items():
            assert await read_board(connection, season) == [(1, "Ada", score)], season


async def test_frozen_season_keeps_ranks_and_names_and_erasure_removes_both(engine: AsyncEngine) -> None:
    past = NOW - timedelta(days=3)
    season = name_season("today", past)
    async with engine.begin() as connection:
        ada = await add_episode(connection, "ada", 9, at=past)
        await add_episode(connection, "eva", 5, at=past)
        await opt_in(connection, "ada", "eva")
    await judge_queue(engine)
    assert await freeze_ended_seasons(engine, NOW) >= 1
    async with engine.begin() as connection:
        await add_player(connection, "eva", "Evita", "evita", is_chosen=True)
        await add_episode(connection, "max", 99, at=past)
        await opt_in(connection, "max")
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection, season) == [(1, "Ada", 9), (2, "Eva", 5)]
        assert await read_board(connection) == [(1, "Max", 99), (2, "Ada", 9), (3, "Evita", 5)]
        await begin_erasure(connection, "ada")
        await erase_episode(connection, ada)
        await finish_erasure(connection, "ada")
        # The rank of the erased player stays empty.
        assert await read_board(connection, season) == [(2, "Eva", 5)]
        for table in ("board_player", "board_entry", "board_standing"):
            rows = await connection.execute(select(TABLES[table]).where(TABLES[table].c.user_id == "ada"))
            assert rows.all() == []


async def test_erasure_that_is_replayed_after_a_restore_removes_frozen_rows(engine: AsyncEngine) -> None:
    past = NOW - timedelta(days=3)
    async with engine.begin() as connection:
        ada = await add_episode(connection, "ada", 9, at=past)
        await opt_in(connection, "ada")
    await judge_queue(engine)
    await freeze_ended_seasons(engine, NOW)
    async with engine.begin() as connection:
        assert await reopen_erasure(connection, "ada")
        await erase_episode(connection, ada)
        await finish_erasure(connection, "ada")
        assert await read_board(connection, name_season("today", past)) == []


async def test_opting_out_removes_every_row_and_opting_in_again_restores_open_seasons(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await add_episode(connection, "ada", 9)
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        await remove_player(connection, "ada")
        assert await read_board(connection) == []
        for table in ("board_player", "board_entry", "board_standing"):
            assert (await connection.execute(select(TABLES[table]))).all() == []
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection) == [(1, "Ada", 9)]


async def test_signals_flag_for_review_and_only_a_decision_hides(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        even = await add_episode(connection, "ada", 9, presses=30)
        await add_episode(connection, "ada", 4)
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection) == [(1, "Ada", 9)]
        [flagged] = await list_reviewable(connection, 10)
        assert flagged.episode_id == even
        assert {"even-holds", "even-intervals"} <= set(flagged.signals)
        await decide(connection, await find_entry(connection, str(even)[:13]), "hidden", "a program")
        assert await read_board(connection) == [(1, "Ada", 4)]
        assert await list_reviewable(connection, 10) == []
        # A decision outlives an opt-out.
        await remove_player(connection, "ada")
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection) == [(1, "Ada", 4)]
        await decide(connection, await find_entry(connection, str(even)), "accepted", "appeal: a person after all")
        assert await read_board(connection) == [(1, "Ada", 9)]
        with pytest.raises(NotFound):
            await find_entry(connection, "ffff")


async def test_reported_name_is_listed_for_review(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        episode = await add_episode(connection, "ada", 9)
        await opt_in(connection, "ada")
    await judge_queue(engine)
    async with engine.begin() as connection:
        await report_name(connection, episode)
        [reported] = await list_reviewable(connection, 10)
        assert (reported.name, reported.n_reports) == ("Ada", 1)


async def add_challenge(connection: AsyncConnection) -> int:
    await add_user(connection, "ada")
    await connection.execute(
        insert(TABLES["game"]).values(id="lake", config={"name": "Lake", "pace": {"kind": "turn-based"}})
    )
    challenge = {"day": TODAY, "game_id": "lake", "arguments": {}, "key": KEY, "commitment": commit_to(KEY)}
    await connection.execute(insert(TABLES["daily"]).values(**challenge))
    return derive_seed(KEY, TODAY, "lake")


async def test_first_try_of_the_daily_counts_also_if_it_arrives_last(engine: AsyncEngine) -> None:
    day = {"daily": TODAY.isoformat()}
    settings = f"daily={TODAY.isoformat()}"
    async with engine.begin() as connection:
        seed = await add_challenge(connection)
        second = await add_episode(connection, "ada", 50, seed=seed, provenance=day)
        await add_episode(connection, "eva", 7, seed=seed, provenance=day)
        await add_episode(connection, "max", 90, seed=seed + 1, provenance=day)
        await opt_in(connection, "ada", "eva", "max")
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection, settings=settings) == [(1, "Ada", 50), (2, "Eva", 7)]
        # The first try was still in the journal of another server; it is no good one.
        first = await add_episode(
            connection, "ada", 3, seed=seed, provenance=day, at=datetime.now(UTC) - timedelta(minutes=1)
        )
        assert first < second
        await enqueue_episode(connection, first)
    await judge_queue(engine)
    async with engine.begin() as connection:
        assert await read_board(connection, settings=settings) == [(1, "Eva", 7), (2, "Ada", 3)]
        assert (await read_rejections(connection))[second] == "not-first-try"
        # The try is on no other board.
        assert await read_board(connection) == []


def test_real_episode_stands_once_it_is_certified(database_url: URL, tmp_path: Path) -> None:
    journal, objects = tmp_path / "journal", tmp_path / "objects"
    journal.mkdir()
    harness = SessionHarness(journal, "tower-of-hanoi", "ada", provenance={"mode": "streamed", "options": {}})
    harness.send("start")
    for pole in "13123213212313":
        harness.now += 700_000
        harness.press(f"pole-{pole}")
        harness.press(f"pole-{pole}", down=False)
    episode = harness.headers[0].episode_id

    async def play() -> list[tuple[int, str, float]]:
        async with opened_engine(database_url) as engine:
            await upload_all(journal, objects, engine)
            async with engine.begin() as connection:
                config = {"name": "Tower of Hanoi", "pace": {"kind": "turn-based"}}
                await connection.execute(update(TABLES["game"]).values(config=config))
                await opt_in(connection, "ada")
                assert (await connection.execute(text("SELECT count(*) FROM board_queue"))).scalar() == 0
            address = database_url.render_as_string(hide_password=False)
            verdict = await asyncio.to_thread(rerun, address)
            await store_verdict(engine, episode, verdict)
            async with engine.begin() as connection:
                return await read_board(connection, game="tower-of-hanoi")

    def rerun(address: str) -> Any:
        with open_dataset(address, objects) as dataset:
            return rerun_episode(dataset.episode(episode))

    [(rank, name, _)] = asyncio.run(play())
    assert (rank, name) == (1, "Ada")
