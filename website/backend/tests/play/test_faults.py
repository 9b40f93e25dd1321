"""A seeded few of `python -m benchmarks.faults`: real processes are killed, and nothing is lost or doubled."""

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
def house() -> Iterator[ServerUnderTest]:
    """One arcade for all: what breaks in one test must be whole again in the next."""
    with temporary_home() as home:
        made = ServerUnderTest(home)
        made.start()
        yield made
        made.stop()


@pytest.mark.parametrize(
    "act",
    [acts.kill_game, acts.kill_delivery, acts.kill_postgres, acts.flip_bit],
    ids=lambda act: act.__name__,
)
async def test_R1_R8_nothing_is_lost_or_doubled_after(house: ServerUnderTest, act: Break) -> None:
    result, rng = Result(act.__name__), random.Random(f"{SEED} {act.__name__}")
    await play_and_break(house, act, result, rng, 1)
    assert result.steps > 0, f"seed {SEED}"
    assert (result.lost, result.doubled, result.trouble) == (0, 0, []), f"seed {SEED}"


async def test_R1_R11_a_game_whose_server_is_killed_says_so_and_seals_what_it_has(house: ServerUnderTest) -> None:
    async with run_load(house.port, random.Random(SEED), 1) as crowd:
        async with asyncio.timeout(30):
            while crowd.n_frames < 60:
                await asyncio.sleep(0.02)
        with acts.frozen_delivery(house) as _:
            games = house.games()
            house.kill(house.server)
            await asyncio.to_thread(psutil.wait_procs, games, 20)
            ends = [end for path in house.files(SEALED) if (end := read_segment(path).end) is not None]
        await asyncio.to_thread(house.start)
    assert [(end.status, end.reason) for end in ends] == [("incomplete", "server-gone")]
    await house.wait_until_uploaded()
    reports = await house.check(crowd.seen)
    assert any(report.acknowledged > 0 for report in reports)
    assert [report for report in reports if report.lost or report.duplicated or report.problems] == []
