"""Spare processes run what they are given, say how they have ended, and end with their parent."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from skill_arcade.spare_process import take_spare_process

LOADED = "by nobody"
"""Set by a process before it forks, and differently afterwards."""


def write_loaded(path: Path) -> None:
    """Write what the process that forked this one had set, and wait for a signal."""
    path.with_suffix(".part").write_text(LOADED)
    path.with_suffix(".part").rename(path)
    signal.pause()


def exit_with(code: int) -> None:
    """Exit with a code."""
    sys.exit(code)


def fail() -> None:
    """Raise an exception."""
    raise RuntimeError("the target failed")


def wait_for_signal(path: Path) -> None:
    """Create a file, and wait for a signal."""
    path.touch()
    signal.pause()


def wait_until(path: Path) -> None:
    """Wait until a file exists."""
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_exit_code_is_that_of_the_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    exiting, failing, killed = (take_spare_process() for _ in range(3))
    exiting.run("test", exit_with, 3)
    failing.run("test", fail)
    killed.run("test", wait_for_signal, tmp_path / "started")
    assert exiting.wait() == 3
    assert failing.wait() == 1
    assert "RuntimeError: the target failed" in capfd.readouterr().err
    wait_until(tmp_path / "started")
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    killed.send_signal(signal.SIGKILL)  # to nobody


def test_process_that_has_ended_cannot_run_anything() -> None:
    process = take_spare_process()
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        process.run("test", exit_with, 0)
    assert process.wait() == -signal.SIGKILL


def test_forked_processes_have_the_modules_of_their_parent_and_end_with_it(tmp_path: Path) -> None:
    """A process forks two, of which one gets something to run; then it is killed."""
    program = """
        import sys, time
        from pathlib import Path
        from skill_arcade.spare_process import fork_spare_processes, take_spare_process
        from tests import test_spare_process
        test_spare_process.LOADED = "before the fork"
        fork_spare_processes(2, lambda: None)
        test_spare_process.LOADED = "after the fork"
        process = take_spare_process()
        process.run("test", test_spare_process.write_loaded, Path(sys.argv[1]))
        time.sleep(600)
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "loaded")]
    process = subprocess.Popen(command, env=environment)
    try:
        wait_until(tmp_path / "loaded")
        family = psutil.Process(process.pid).children(recursive=True)
        assert sorted(one.name() for one in family) == ["spare", "test"]
    finally:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    assert (tmp_path / "loaded").read_text() == "before the fork"
