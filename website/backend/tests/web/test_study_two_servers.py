"""A study on two servers: the end waits until what the other one has recorded is stored (decision 0053)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.database import fresh_database, opened_engine
from tests.support.server import ServerUnderTest
from tests.support.server_pair import ServerPair, kill_machine, running_pair
from tests.support.studies import make_study, open_in_database
from tests.support.uploads import read_rows
from tests.web.test_study_server import GAMES, INTO_THE_HOLE, Participant

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
LOST_SECONDS = 3
PENDING = "SELECT pending_journals, is_seal_requested FROM participant"


@pytest.fixture
def shared_url(postgres: URL) -> Iterator[URL]:
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def pair(shared_url: URL, tmp_path: Path) -> Iterator[ServerPair]:
    (tmp_path / "frozen-lake.yaml").write_text(GAMES)
    with running_pair(
        shared_url, GAMES_FOLDER=str(tmp_path), SERVER_LOST_SECONDS=str(LOST_SECONDS), RESUME_SECONDS="60"
    ) as pair:
        yield pair


@pytest.fixture
async def engine(shared_url: URL, anyio_backend: str) -> AsyncIterator[AsyncEngine]:
    async with opened_engine(shared_url) as engine:
        yield engine


def make_content() -> dict[str, Any]:
    """Return a study of one game, which ends with it."""
    stages = [stage for stage in make_study()["stages"] if stage["kind"] in ("consent", "games")]
    stages[-1] |= {"amount": {"trials": 1}, "seed_list": [11]}
    return make_study(stages=stages)


async def reach_game(server: ServerUnderTest, engine: AsyncEngine) -> Participant:
    await open_in_database(engine, make_content())
    person = Participant(server)
    await person.join()
    await person.answer({"document": person.page["stage"]["sha256"], "scopes": ["research"], "birth_year": 1990})
    assert person.page["stage"]["kind"] == "games"
    return person


async def post_answer(person: Participant) -> dict[str, Any]:
    """Answer once, without waiting."""
    body = {"stage": person.page["stage"]["name"], "data": {}}
    page: dict[str, Any] = await person._request("POST", "/studies/me/answers", json=body)
    return page


async def wait_for_completion(person: Participant) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (page := await post_answer(person))["completion"] is None:
            await asyncio.sleep(0.2)
    return page


async def test_study_ends_on_another_server_only_after_the_first_has_stored_the_game(
    pair: ServerPair, engine: AsyncEngine
) -> None:
    first, second = pair
    person = await reach_game(first, engine)
    uploader = first.uploader()
    async with person.open_game() as player:
        await player.send("start")
        await player.read_until("started")
        uploader.suspend()
        for control in INTO_THE_HOLE:
            await player.tap(control)
        await player.read_until("ended")
        person.server = second
        for _ in range(5):  # the page of the game is still open on the first server
            page = await post_answer(person)
            assert (page["is_saving"], page["completion"]) == (True, None)
            await asyncio.sleep(0.3)
        assert await read_rows(engine, "SELECT count(*) FROM episode WHERE time_ended IS NOT NULL") == [(0,)]
        uploader.resume()
        page = await wait_for_completion(person)
    assert page["completion"]["outcome"] == "complete"
    rows = await read_rows(engine, "SELECT end_reason FROM episode")
    assert rows == [("terminated",)]
    assert await read_rows(engine, PENDING) == [([], False)]


async def test_study_ends_on_another_server_if_the_first_one_is_lost(pair: ServerPair, engine: AsyncEngine) -> None:
    first, second = pair
    person = await reach_game(first, engine)
    async with person.open_game() as player:
        await player.send("start")
        await player.read_until("started")
        await asyncio.to_thread(kill_machine, first)
    person.server = second
    assert (await post_answer(person))["is_saving"] is True
    await asyncio.sleep(LOST_SECONDS + 1)
    assert (await post_answer(person))["is_saving"] is False
    await person.play()  # the trial is repeated
    assert (await wait_for_completion(person))["completion"]["outcome"] == "complete"
