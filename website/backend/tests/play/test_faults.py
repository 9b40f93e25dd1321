"""A short, seeded run of `python -m benchmarks.faults`: processes are killed, and nothing may be lost or duplicated."""

import asyncio
import os
import random
from collections.abc import Iterator

import psutil
import pytest

from skill_arcade.recording.journal import SEALED
from skill_arcade.recording.segment import read_segment
from tests.support.database import temporary_home
from tests.support.faults import acts
from tests.support.faults.runs import Fault, Result, play_and_break
from tests.support.load import run_load
from tests.support.server import ServerUnderTest

pytestmark = pytest.mark.anyio
SEED = int(os.environ.get("FAULTS_SEED", "20261122"))


@pytest.fixture(scope="module")
def server() -> Iterator[ServerUnderTest]:
    """One server for all tests: it must have recovered from one fault before the next."""
    with temporary_home() as home:
        running = ServerUnderTest(home)
        running.start()
        yield running
        running.stop()


@pytest.mark.parametrize(
    "fault",
    [acts.kill_game, acts.kill_uploader, acts.kill_postgres, acts.flip_bit],
    ids=lambda fault: fault.__name__,
)
async def test_R1_R8_fault_loses_and_duplicates_no_steps(server: ServerUnderTest, fault: Fault) -> None:
    result, rng = Result(fault.__name__), random.Random(f"{SEED} {fault.__name__}")
    await play_and_break(server, fault, result, rng, 1)
    assert result.steps > 0, f"seed {SEED}"
    assert (result.lost, result.duplicated, result.problems) == (0, 0, []), f"seed {SEED}"


async def test_R1_R11_server_killed_game_seals_its_episode_as_server_gone(server: ServerUnderTest) -> None:
    async with run_load(server.port, random.Random(SEED), 1) as load:
        async with asyncio.timeout(30):
            while load.n_frames < 60:
                await asyncio.sleep(0.02)
        with acts.suspend_uploader(server):
            games = server.games()
            server.kill(server.server)
            await asyncio.to_thread(psutil.wait_procs, games, 20)
            ends = [end for path in server.files(SEALED) if (end := read_segment(path).end) is not None]
        await asyncio.to_thread(server.start)
    assert [(end.status, end.reason) for end in ends] == [("incomplete", "server-gone")]
    await server.wait_until_uploaded()
    reports = await server.check(load.seen)
    assert any(report.acknowledged > 0 for report in reports)
    assert [report for report in reports if report.lost or report.duplicated or report.problems] == []
