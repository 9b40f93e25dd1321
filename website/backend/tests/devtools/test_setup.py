"""What `website/play` says when something is in the way: one clear sentence each, and exit code 1."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.build_stamps import digest_files, is_fresh, write_stamp
from devtools.chromium import find_chromium
from devtools.errors import UserFacingError
from devtools.lock import UV_LOCK
from devtools.paths import WEBSITE, check_writable
from devtools.play import isolate_data
from devtools.run import run, tool_environment
from devtools.uv import find_uv

PLAY = WEBSITE / "play"


@pytest.fixture
def free_port() -> int:
    """A port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say_of_play(*arguments: str, path: Path | None = None) -> str:
    """What `website/play` writes as it refuses, with this folder as its PATH."""
    environment = dict(os.environ) | ({"PATH": str(path)} if path else {})
    # bash by its place, as the kernel does for a script whose interpreter is named in full.
    command = [shutil.which("bash") or "bash", str(PLAY), *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def make_path(folder: Path, *programs: str, **scripts: str) -> Path:
    """A folder for a PATH with these programs, and shell scripts that print a text."""
    for program in programs:
        found = sys.executable if program == "python3" else shutil.which(program)
        write_script(folder / program, f'exec {found} "$@"')
    for name, text in scripts.items():
        write_script(folder / name, f"echo {text}")
    return folder


def write_script(file: Path, line: str) -> None:
    """A shell script of one line that can be run."""
    file.write_text(f"#!{shutil.which('bash')}\n{line}\n")
    file.chmod(0o755)


@pytest.fixture
def python_only(tmp_path: Path) -> Path:
    """A PATH with Python and little else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return make_path(folder, "dirname", "python3", "bash", "env")


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        said = say_of_play("--port", str(port))
    assert said.startswith(f"Port {port} is in use: ")
    assert said.count("\n") == 1


def test_a_port_that_is_no_port_is_said() -> None:
    assert say_of_play("--port", "70000") == "--port takes a number from 1 to 65535, not 70000.\n"


def test_missing_python_is_said(tmp_path: Path) -> None:
    assert say_of_play(path=make_path(tmp_path, "dirname")).startswith("Python 3.11 or newer is needed and none")


def test_missing_node_is_said(python_only: Path, free_port: int) -> None:
    assert say_of_play("--port", str(free_port), path=python_only).startswith("Node is missing: install Node 20")


def test_an_old_node_is_said(python_only: Path, free_port: int) -> None:
    path = make_path(python_only, node="v18.20.4")
    assert say_of_play("--port", str(free_port), path=path).startswith("Node v18.20.4 is too old: install Node 20")


def test_missing_npm_is_said(python_only: Path, free_port: int) -> None:
    path = make_path(python_only, node="v22.12.0")
    assert say_of_play("--port", str(free_port), path=path).startswith("npm is missing: install Node 20")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserFacingError, match=r"file/state cannot be written \(Not a directory\): make it yours"):
        check_writable(tmp_path / "file" / "state")


def test_a_registry_that_does_not_answer_is_said(tmp_path: Path) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0"}
    install = ("pip", "install", "--target", tmp_path / "out", "--require-hashes", "--requirement", UV_LOCK)
    with pytest.raises(UserFacingError, match=r"\nNo: the package registry does not answer; check network and proxy, "):
        run([find_uv(), *install], failure="No", environment=tool_environment() | nowhere)


def test_another_failure_shows_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(UserFacingError, match=r"^  \| beta\nNo: the lines above print_line why\.$"):
        run(["bash", "-c", "echo beta; exit 3"], failure="No", folder=tmp_path)


def test_a_wrongly_named_chromium_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(UserFacingError, match="CHROMIUM is set to no-such-browser, which is no program"):
        find_chromium()


def test_a_missing_chromium_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserFacingError, match=r"^The browser test needs Chromium: install it"):
        find_chromium()


def test_data_apart_reads_no_remote_settings(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": "postgresql://elsewhere/db", "GCP_BUCKET_NAME": "bucket", "PATH": "kept"}
    folder, local = isolate_data(tmp_path / "data", environment)
    assert (folder, local) == (tmp_path / "data", {"PATH": "kept", "SKILL_ARCADE_HOME": str(tmp_path / "data")})


def test_a_stamp_is_stale_once_an_input_changed(tmp_path: Path) -> None:
    source, stamp = tmp_path / "source", tmp_path / "stamp"
    source.write_text("one")
    write_stamp(stamp, digest_files([source], "v20"))
    assert is_fresh(stamp, digest_files([source], "v20"))
    assert not is_fresh(stamp, digest_files([source], "v22"))
    source.write_text("two")
    assert not is_fresh(stamp, digest_files([source], "v20"))
