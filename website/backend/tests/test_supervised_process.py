"""A supervised process is restarted when it exits, and stops on request at any moment."""

import asyncio
import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from skill_arcade.settings import Settings
from skill_arcade.supervised_process import SupervisedProcess

pytestmark = pytest.mark.anyio


def run_until_signal(settings: Settings) -> None:
    """Create a file named after the process id, and wait for a signal."""
    (settings.skill_arcade_home / f"{os.getpid()}").touch()
    signal.pause()


def ignore_sigterm(settings: Settings) -> None:
    """Ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    run_until_signal(settings)
    while True:
        time.sleep(60)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, skill_arcade_home=tmp_path)


async def wait_for_processes(home: Path, n_files: int) -> set[int]:
    """Wait until `n_files` processes have started."""
    async with asyncio.timeout(60):
        while len(pids := {int(path.name) for path in home.iterdir()}) < n_files:
            await asyncio.sleep(0.02)
    return pids


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
async def test_supervised_process_stops_while_starting(settings: Settings, turns: int) -> None:
    others = set(psutil.Process().children())
    process = SupervisedProcess("test", run_until_signal, settings)
    await process.start()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(30):
        await process.stop()
    assert set(psutil.Process().children()) <= others


async def test_supervised_process_is_restarted_after_kill(settings: Settings) -> None:
    process = SupervisedProcess("test", run_until_signal, settings)
    await process.start()
    (first,) = await wait_for_processes(settings.skill_arcade_home, 1)
    os.kill(first, signal.SIGKILL)
    (second,) = await wait_for_processes(settings.skill_arcade_home, 2) - {first}
    assert process.pid == second
    await process.stop()
    assert not psutil.pid_exists(second)


async def test_supervised_process_is_killed_after_stop_timeout(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    process = SupervisedProcess("test", ignore_sigterm, settings)
    await process.start()
    (pid,) = await wait_for_processes(settings.skill_arcade_home, 1)
    await process.stop(grace_seconds=0.2)
    assert not psutil.pid_exists(pid)
    assert "stop timed out, killing process=test timeout_s=0.2" in caplog.text


async def test_supervised_process_never_started_stops_at_once(settings: Settings) -> None:
    process = SupervisedProcess("test", run_until_signal, settings)
    await process.stop()
    assert process.pid is None
