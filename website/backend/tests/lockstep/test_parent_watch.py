"""A background build exits with the server, and so do the processes that it started."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

import build_module
from devtools.paths import LOCKSTEP, SCRIPTS
from devtools.run import UserFacingError
from parent_watch import exit_with_parent

BUILD = """
import subprocess, sys
from parent_watch import exit_with_parent
exit_with_parent(int(sys.argv[1]))
compiler = subprocess.Popen(["sleep", "60"])
print(compiler.pid, flush=True)
compiler.wait()
"""


def test_build_server_is_killed_exits_with_its_compiler() -> None:
    with subprocess.Popen(["sleep", "60"]) as server:
        command = [sys.executable, "-c", BUILD, str(server.pid)]
        environment = os.environ | {"PYTHONPATH": f"{SCRIPTS}:{LOCKSTEP}"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as build:
            assert build.stdout is not None
            compiler = os.pidfd_open(int(build.stdout.readline()))
            assert build.poll() is None
            server.kill()
            ended, _, _ = select.select([compiler], [], [], 30)
            assert ended == [compiler]
            os.close(compiler)
            assert build.wait(30) < 0


def test_exit_with_parent_process_has_exited_raises_error() -> None:
    with subprocess.Popen(["true"]) as parent:
        parent.wait()
    with pytest.raises(UserFacingError, match=str(parent.pid)):
        exit_with_parent(parent.pid)


@pytest.mark.parametrize("is_built", [False, True])
def test_build_in_background_starts_a_missing_build_for_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_built: bool
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(build_module, "WEBSITE", tmp_path / "website")
    monkeypatch.setattr(build_module, "STATE", tmp_path)
    monkeypatch.setattr(build_module, "is_built", lambda: is_built)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: commands.append(command))
    build_module.main(["--background-for", "123"])
    assert [(command[0], command[-2:]) for command in commands] == [("nice", ["--parent-pid", "123"])] * (not is_built)
    assert ("log: lockstep.log" in capsys.readouterr().out) == (not is_built)
