"""A short, seeded run of `python -m benchmarks.faults`: processes are killed, and nothing may be lost or duplicated."""

import asyncio
import os
import random
from collections.abc import Iterator

import psutil
import pytest

from benchmarks.faults import acts
from benchmarks.faults.runs import Break, Result, play_and_break
from skill_arcade.recording.journal import SEALED
from skill_arcade.recording.segment import read_segment
from tests.conftest import temporary_home
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
    "act",
    [acts.kill_game, acts.kill_delivery, acts.kill_postgres, acts.flip_bit],
    ids=lambda act: act.__name__,
)
async def test_R1_R8_fault_loses_and_duplicates_no_steps(server: ServerUnderTest, act: Break) -> None:
    result, rng = Result(act.__name__), random.Random(f"{SEED} {act.__name__}")
    await play_and_break(server, act, result, rng, 1)
    assert result.steps > 0, f"seed {SEED}"
    assert (result.lost, result.doubled, result.trouble) == (0, 0, []), f"seed {SEED}"


async def test_R1_R11_server_killed_game_seals_its_episode_as_server_gone(server: ServerUnderTest) -> None:
    async with run_load(server.port, random.Random(SEED), 1) as load:
        async with asyncio.timeout(30):
            while load.n_frames < 60:
                await asyncio.sleep(0.02)
        with acts.frozen_delivery(server) as _:
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
