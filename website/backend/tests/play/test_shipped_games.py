"""Servers that ship their open journals, and are killed together with their disks (rules R34 and R35)."""

import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine
from websockets.exceptions import ConnectionClosed

from skill_arcade.play.session.session import TAIL_LOST_NOTICE
from skill_arcade.recording.journal_id import find_journal_id
from skill_arcade.recording.shipment import shipment_prefix
from tests.play.test_two_servers import (
    GAME,
    LOST_SECONDS,
    continue_playing,
    leave_and_certify,
    new_email,
    read_metric,
    start_playing,
    wait_for,
)
from tests.support.arcade import Player, open_player
from tests.support.database import fresh_database, opened_engine
from tests.support.server import ServerUnderTest
from tests.support.server_pair import ServerPair, kill_machine, running_pair
from tests.support.uploads import read_rows

pytestmark = pytest.mark.anyio
MAX_LOST_STEPS = 120
"""Steps within 2 s: an idle machine loses 0.6 s, and this one may be busy. `benchmarks.moves` measures it."""


@pytest.fixture(scope="module")
def shared_url(postgres: URL) -> Iterator[URL]:
    """URL of the database that both servers use."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
def started_pair(shared_url: URL) -> Iterator[ServerPair]:
    """Two servers whose segments are so long that most of a game is in an open one."""
    settings = {"SERVER_LOST_SECONDS": str(LOST_SECONDS), "SEGMENT_SECONDS": "12", "OPEN_JOURNAL_SECONDS": "0.5"}
    with running_pair(shared_url, **settings) as pair:
        yield pair


@pytest.fixture
def shipping_pair(started_pair: ServerPair) -> ServerPair:
    """Both servers, running."""
    for server in started_pair:
        if server.running.poll() is not None:
            server.start()
    return started_pair


@pytest.fixture
async def engine(shared_url: URL, anyio_backend: str) -> AsyncIterator[AsyncEngine]:
    """An engine on the shared database."""
    async with opened_engine(shared_url) as engine:
        yield engine


async def play_until_shipped(player: Player, server: ServerUnderTest) -> None:
    """Play on until the server has shipped the frames so far, which takes a busy machine longer than it plays."""
    shipments = server.home / "objects" / shipment_prefix(find_journal_id(server.home / "journal-id"))
    before = time.time()
    while not any(path.stat().st_mtime > before for path in shipments.glob("*")):
        await player.read_until_frame(player.packets[-1].frame + 10)


@pytest.mark.parametrize("is_continued", [True, False], ids=["player-returns", "nobody-returns"])
async def test_R35_little_is_lost_with_a_server_and_its_disk(
    shipping_pair: ServerPair, engine: AsyncEngine, *, is_continued: bool
) -> None:
    lost, other = shipping_pair
    email = new_email()
    async with open_player(lost, email, GAME) as first:
        episode = await start_playing(first)
        while not await read_rows(engine, f"SELECT n_steps FROM episode WHERE id = '{episode}'"):
            await first.read_until_frame(first.packets[-1].frame + 10)
        await first.read_until_frame(first.packets[-1].frame + 200)  # most of a segment, which is not uploaded yet
        kill_machine(lost)
        with suppress(ConnectionClosed):
            while True:
                await first.read()
        seen = first.packets[-1].frame
    shutil.rmtree(lost.journal)
    ((stored,),) = await read_rows(engine, f"SELECT n_steps FROM episode WHERE id = '{episode}'")
    assert stored < seen - MAX_LOST_STEPS, "nothing was left to recover"
    if is_continued:
        async with open_player(other, email, GAME) as second:
            assert await continue_playing(second, episode) >= seen - MAX_LOST_STEPS
            assert TAIL_LOST_NOTICE in [message.get("text") for message in second.messages]
            await leave_and_certify(second, engine, episode)
    else:
        ended = f"SELECT end_reason, n_steps >= {seen - MAX_LOST_STEPS} FROM episode WHERE id = '{episode}'"
        await wait_for(engine, ended, [("server-lost", True)])
        certified = f"SELECT result::text, reason FROM certificate WHERE episode_id = '{episode}'"
        await wait_for(engine, certified, [("certified", "")])
    kind = "rewound" if is_continued else "recovered"
    query = f"SELECT (data ->> 'recovered_steps')::int FROM event WHERE episode_id = '{episode}' AND kind = '{kind}'"
    ((recovered,),) = await read_rows(engine, query)
    assert stored + recovered >= seen - MAX_LOST_STEPS
    (report,) = [report for report in await other.check({}) if report.episode == episode]
    assert (report.lost, report.duplicated, report.problems) == (0, 0, [])


async def test_R35_game_that_was_never_uploaded_goes_on(shipping_pair: ServerPair, engine: AsyncEngine) -> None:
    lost, other = shipping_pair
    email = new_email()
    async with open_player(lost, email, GAME) as first:
        episode = await start_playing(first)
        await play_until_shipped(first, lost)
        kill_machine(lost)
        with suppress(ConnectionClosed):
            while True:
                await first.read()
        seen = first.packets[-1].frame
    shutil.rmtree(lost.journal)
    async with open_player(other, email, GAME) as second:
        assert await continue_playing(second, episode) >= seen - MAX_LOST_STEPS
        await leave_and_certify(second, engine, episode)
    (report,) = [report for report in await other.check({}) if report.episode == episode]
    assert (report.lost, report.duplicated, report.problems) == (0, 0, [])


async def test_R35_game_that_was_never_uploaded_is_recovered(shipping_pair: ServerPair, engine: AsyncEngine) -> None:
    lost, other = shipping_pair
    async with open_player(lost, new_email(), GAME) as player:
        episode = await start_playing(player)
        await play_until_shipped(player, lost)
        kill_machine(lost)
        with suppress(ConnectionClosed):
            while True:
                await player.read()
        seen = player.packets[-1].frame
    shutil.rmtree(lost.journal)
    assert await read_rows(engine, f"SELECT count(*) FROM episode WHERE id = '{episode}'") == [(0,)]
    ended = f"SELECT end_reason, n_steps >= {seen - MAX_LOST_STEPS} FROM episode WHERE id = '{episode}'"
    await wait_for(engine, ended, [("server-lost", True)])
    certified = f"SELECT result::text, reason FROM certificate WHERE episode_id = '{episode}'"
    await wait_for(engine, certified, [("certified", "")])
    assert await read_metric(other, "recovered_games_total") >= 1
    (report,) = [report for report in await other.check({}) if report.episode == episode]
    assert (report.lost, report.duplicated, report.problems) == (0, 0, [])
