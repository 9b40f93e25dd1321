"""A server that stops or is killed while it certifies leaves no process behind, and starts again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from devtools.paths import BACKEND
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import migrate_sync
from tests.conftest import opened_engine
from tests.support.server import ServerUnderTest
from tests.support.session_harness import SessionHarness, play_randomly, upload_all
from tests.support.unrepeatable_env import unrepeatable_game

WORKER = "skill_arcade.certify.worker"
MAX_START_SECONDS = 300.0
"""The certifier runs at idle priority: beside other tests it starts slowly."""
MAX_END_SECONDS = 180.0


def record_hanging_episode(home: Path) -> None:
    """Upload an episode whose re-run never ends to the server's own database and folder."""
    server = EmbeddedPostgres(home / "postgres")
    try:
        url = server.server.url()
        migrate_sync(url)
        journal = home / "played"
        journal.mkdir()
        play_randomly(SessionHarness(journal, unrepeatable_game("hangs")), 6)

        async def upload() -> None:
            async with opened_engine(url) as engine:
                await upload_all(journal, home / "objects", engine)

        asyncio.run(upload())
    finally:
        server.close()


def find_workers(server: ServerUnderTest) -> list[psutil.Process]:
    """Return the worker processes of the certifier; wait until there is one."""
    end = time.monotonic() + MAX_START_SECONDS
    while time.monotonic() < end:
        family = server.server.children(recursive=True)
        if found := [process for process in family if WORKER in " ".join(process.cmdline())]:
            return found
        time.sleep(0.05)
    raise AssertionError("no episode is being certified")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_server_ended_during_certification_leaves_no_process(
    home: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setenv("RECORDER_PID", str(os.getpid()))
    record_hanging_episode(home)
    server = ServerUnderTest(home, {"PYTHONPATH": f"{BACKEND}:{BACKEND.parent / 'scripts'}"})
    server.start()
    find_workers(server)
    family = [*server.server.children(recursive=True), server.postgres()]
    server.running.send_signal(number)
    server.running.wait(MAX_END_SECONDS)
    _, alive = psutil.wait_procs(family, timeout=MAX_END_SECONDS)
    # A zombie has ended; who inherits it decides when it is removed.
    assert [" ".join(process.cmdline()) for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    server.start()
    find_workers(server)  # the episode is still to be certified
    server.stop()


def test_worker_whose_parent_ends_while_it_imports_exits(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\n"
        "class Sleeper:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'skill_arcade.certify.worker_jobs':\n"
        "            print('importing', flush=True)\n"
        "            time.sleep(600)\n"
        "sys.meta_path.insert(0, Sleeper())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-m", WORKER, "0"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{BACKEND}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"importing\n"
            worker.stdin.close()
            assert worker.wait(MAX_END_SECONDS) == 0
        finally:
            worker.kill()
