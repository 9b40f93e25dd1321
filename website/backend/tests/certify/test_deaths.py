"""Tests of where players die: found by the re-run of a recording, stored with its certificate, shown by the chart."""

import asyncio
from pathlib import Path

from sqlalchemy import URL, text

from skill_arcade.certify.process import store_verdict
from skill_arcade.certify.rerun import rerun_episode
from skill_arcade.dataset.reader import open_dataset
from skill_arcade.research.answers import Answer, answer_chart
from skill_arcade.research.selection import Selection
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.episode_measures import measure_missing
from skill_arcade.storage.objects.disk import DiskObjects
from tests.support.catalogue import load_games
from tests.support.consent import include_rows_without_consent
from tests.support.database import opened_engine
from tests.support.session_harness import SessionHarness, play_randomly, upload_all


def test_certificate_of_lost_episode_stores_where_it_ended(database_url: URL, tmp_path: Path) -> None:
    journal, objects = tmp_path / "journal", tmp_path / "objects"
    journal.mkdir()
    harness = SessionHarness(journal, load_games()["frozen-lake"])
    play_randomly(harness, 300)

    async def read(chart: str, game: str) -> Answer:
        async with opened_engine(database_url) as engine, transaction(engine) as connection:
            return await answer_chart(connection, chart, Selection(game=game, players="all"))

    async def certify() -> list[tuple[str, int, str]]:
        async with opened_engine(database_url) as engine:
            await upload_all(journal, objects, engine)
            address = database_url.render_as_string(hide_password=False)
            with open_dataset(address, objects) as dataset:
                for header in harness.headers:
                    verdict = await asyncio.to_thread(rerun_episode, dataset.episode(header.episode_id))
                    await store_verdict(engine, header.episode_id, verdict)
                    await store_verdict(engine, header.episode_id, verdict)  # a second re-run replaces what it found
            await measure_missing(engine, DiskObjects(objects))
            async with engine.connect() as connection:
                lost = text(
                    "SELECT id::text, n_steps - 1, end_reason FROM episode "
                    "WHERE status = 'lost' AND end_reason = 'terminated' ORDER BY id"
                )
                return [tuple(row) for row in await connection.execute(lost)]

    include_rows_without_consent(database_url)
    lost = asyncio.run(certify())
    answer = asyncio.run(read("deaths", "frozen-lake"))
    assert len(lost) > 3
    assert sum(row["deaths"] for row in answer.rows) == len(lost)
    holes = {(1, 1), (3, 1), (3, 2), (0, 3)}  # of Gymnasium's map 4x4: SFFF FHFH FFFH HFFG
    assert {(row["column"], row["row"]) for row in answer.rows} <= holes
    assert {(row["columns"], row["rows"], row["variant"]) for row in answer.rows} == {(4, 4, "frozen-lake")}
    assert {(row["episode_id"], row["frame"]) for row in answer.rows} <= {(id_, frame) for id_, frame, _ in lost}
    assert answer.notes[-1] == f"{len(lost)} deaths are shown."


def test_chart_of_game_that_does_not_tell_says_so(database_url: URL) -> None:
    async def read() -> Answer:
        async with opened_engine(database_url) as engine, transaction(engine) as connection:
            return await answer_chart(connection, "deaths", Selection(game="cart-pole"))

    answer = asyncio.run(read())
    assert answer.rows == []
    assert "in other games it does not tell where the player is" in answer.notes[-1]
