"""The commands report what is missing or wrong in one error message, and exit with 1."""

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
from devtools.paths import FRONTEND, WEBSITE, check_own, check_writable
from devtools.play import isolate_data
from devtools.run import run, tool_environment
from devtools.uv import UV_LOCK, find_uv

PLAY = WEBSITE / "play"
UNREACHABLE_PROXY = "http://127.0.0.1:9"


@pytest.fixture
def free_port() -> int:
    """A port that no program uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def play_error(*arguments: str, path: Path | None = None) -> str:
    """Return the error message of `website/play`, run with this folder as its PATH."""
    environment = dict(os.environ) | ({"PATH": str(path)} if path else {})
    # The whole path of bash, because the PATH of the test may not contain it.
    command = [shutil.which("bash") or "bash", str(PLAY), *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stderr


def make_path(folder: Path, *programs: str, **scripts: str) -> Path:
    """Return a folder for a PATH with these programs, and with shell scripts that print a text."""
    for program in programs:
        found = sys.executable if program == "python3" else shutil.which(program)
        write_script(folder / program, f'exec {found} "$@"')
    for name, text in scripts.items():
        write_script(folder / name, f"echo {text}")
    return folder


def write_script(file: Path, line: str) -> None:
    """Write an executable shell script with one line."""
    file.write_text(f"#!{shutil.which('bash')}\n{line}\n")
    file.chmod(0o755)


@pytest.fixture
def python_only(tmp_path: Path) -> Path:
    """A folder for a PATH with Python and the programs that find it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return make_path(folder, "dirname", "python3", "bash", "env")


def test_play_port_in_use_reports_one_line() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        error = play_error("--port", str(port))
    assert f"port {port}" in error
    assert error.count("\n") == 1


def test_play_port_out_of_range_reports_port() -> None:
    assert "70000" in play_error("--port", "70000")


def test_play_without_python_reports_required_version(tmp_path: Path) -> None:
    assert "Python 3.11" in play_error(path=make_path(tmp_path, "dirname"))


def test_play_without_node_reports_required_version(python_only: Path, free_port: int) -> None:
    assert play_error("--port", str(free_port), path=python_only).startswith("Node is missing. Install Node 20")


def test_play_with_old_node_reports_found_version(python_only: Path, free_port: int) -> None:
    path = make_path(python_only, node="v18.20.4")
    assert play_error("--port", str(free_port), path=path).startswith("Node v18.20.4 is too old")


def test_play_without_npm_reports_npm(python_only: Path, free_port: int) -> None:
    path = make_path(python_only, node="v22.12.0")
    assert play_error("--port", str(free_port), path=path).startswith("npm is missing")


def test_check_writable_file_in_the_way_reports_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserFacingError, match=r"file/state \(Not a directory\)"):
        check_writable(tmp_path / "file" / "state")


def test_run_unreachable_python_registry_reports_network(tmp_path: Path) -> None:
    variables = {"HTTPS_PROXY": UNREACHABLE_PROXY, "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0"}
    install = ("pip", "install", "--target", tmp_path / "out", "--require-hashes", "--requirement", UV_LOCK)
    with pytest.raises(UserFacingError, match=r"\nfailed: the package registry does not answer"):
        run([find_uv(), *install], failure="failed", environment=tool_environment() | variables)


def test_run_unreachable_npm_registry_reports_network(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FRONTEND / name, tmp_path)
    variables = {"npm_config_https_proxy": UNREACHABLE_PROXY, "npm_config_cache": str(tmp_path / "cache")}
    environment = tool_environment() | variables | {"npm_config_fetch_retries": "0"}
    with pytest.raises(UserFacingError, match=r"\nfailed: the package registry does not answer"):
        run(["npm", "ci"], failure="failed", folder=tmp_path, environment=environment)


def test_run_other_failure_shows_last_lines(tmp_path: Path) -> None:
    with pytest.raises(UserFacingError, match=r"^  \| beta\nfailed: see the lines above"):
        run(["bash", "-c", "echo beta; exit 3"], failure="failed", folder=tmp_path)


def test_tool_environment_bytecode_is_switched_off_caches_bytecode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    (tmp_path / "imported.py").touch()
    run([sys.executable, "-c", "import imported"], failure="failed", folder=tmp_path, environment=tool_environment())
    assert list((tmp_path / "__pycache__").glob("imported.*.pyc"))


def test_find_chromium_variable_names_no_program_reports_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(UserFacingError, match="CHROMIUM is set to no-such-browser"):
        find_chromium()


def test_find_chromium_not_installed_reports_how_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserFacingError, match="apt-get install chromium"):
        find_chromium()


def test_isolate_data_remote_settings_are_removed(tmp_path: Path) -> None:
    environment = {"DATABASE_URL": "postgresql://elsewhere/db", "GCP_BUCKET_NAME": "bucket", "PATH": "kept"}
    folder, local = isolate_data(tmp_path / "data", environment)
    assert (folder, local) == (tmp_path / "data", {"PATH": "kept", "SKILL_ARCADE_HOME": str(tmp_path / "data")})


def test_build_stamp_changed_input_is_not_fresh(tmp_path: Path) -> None:
    source, stamp = tmp_path / "source", tmp_path / "stamp"
    source.write_text("one")
    write_stamp(stamp, digest_files([source], "v20"))
    assert is_fresh(stamp, digest_files([source], "v20"))
    assert not is_fresh(stamp, digest_files([source], "v22"))
    source.write_text("two")
    assert not is_fresh(stamp, digest_files([source], "v20"))


def test_link_to_packages_of_another_clone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    link = tmp_path / "second"
    link.symlink_to(tmp_path / "first")
    check_own(tmp_path / "first", tmp_path / "missing")
    with pytest.raises(UserFacingError, match=r"is a link to .*first.* Delete the link"):
        check_own(tmp_path / "first", link)
