"""A seeded few of `python -m benchmarks.faults`: real processes are killed, and nothing is lost or doubled."""

import os

import pytest

from benchmarks.faults.__main__ import run_fault

pytestmark = pytest.mark.anyio
SEED = int(os.environ.get("FAULTS_SEED", "20261122"))


@pytest.mark.parametrize("fault", ["game", "delivery", "postgres", "server", "bit"])
async def test_nothing_is_lost_or_doubled_after(fault: str) -> None:
    result = await run_fault(fault, SEED, runs=1, seconds=1)
    assert result.steps > 0, f"seed {SEED}"
    assert (result.lost, result.doubled, result.trouble) == (0, 0, []), f"seed {SEED}"
