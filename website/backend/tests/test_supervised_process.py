"""A process beside the server: it runs, comes back when it dies, and ends when it is asked to, at any moment."""

import asyncio
import multiprocessing
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from skill_arcade.settings import Settings
from skill_arcade.supervised_process import SupervisedProcess

pytestmark = pytest.mark.anyio


def be_there(settings: Settings) -> None:
    """Say so in a file, and stay."""
    (settings.skill_arcade_home / f"{os.getpid()}").touch()
    signal.pause()


def be_deaf(settings: Settings) -> None:
    """Stay, whatever is asked."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    be_there(settings)
    while True:
        time.sleep(60)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, skill_arcade_home=tmp_path)


async def wait_for(home: Path, n_files: int) -> set[int]:
    """Wait until so many processes have said that they are there."""
    async with asyncio.timeout(60):
        while len(found := {int(path.name) for path in home.iterdir()}) < n_files:
            await asyncio.sleep(0.02)
    return found


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
async def test_it_ends_when_asked_while_it_is_just_starting(settings: Settings, turns: int) -> None:
    process = SupervisedProcess("test", be_there, settings)
    await process.start()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await process.stop()
    assert multiprocessing.active_children() == []


async def test_it_comes_back_after_it_was_killed(settings: Settings) -> None:
    process = SupervisedProcess("test", be_there, settings)
    await process.start()
    (first,) = await wait_for(settings.skill_arcade_home, 1)
    os.kill(first, signal.SIGKILL)
    (second,) = await wait_for(settings.skill_arcade_home, 2) - {first}
    assert process.pid == second
    await process.stop()
    assert not psutil.pid_exists(second)


async def test_one_that_does_not_listen_is_ended_after_the_grace_period(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    process = SupervisedProcess("test", be_deaf, settings)
    await process.start()
    (there,) = await wait_for(settings.skill_arcade_home, 1)
    await process.stop(grace_seconds=0.2)
    assert not psutil.pid_exists(there)
    assert "test is not done after 0 s and is ended" in caplog.text


async def test_one_that_was_never_started_stops_at_once(settings: Settings) -> None:
    await SupervisedProcess("test", be_there, settings).stop()
