"""The commands report what is missing or wrong in one error message, and exit with 1."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from devtools.paths import FRONTEND, SCRIPTS, WEBSITE
from devtools.play import server_environment
from devtools.run import UserFacingError, digest_files, is_fresh, run
from devtools.setup import UV_LOCK, check_folders, find_chromium, find_uv, setup_lock

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


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        ({}, "Node is missing, npm is missing"),
        ({"node": "v18.20.4", "npm": "10"}, "Node is 18.20, npm is /"),
        ({"node": "", "npm": "10"}, "Node is missing, npm is /"),  # an empty shim of a version manager
        ({"node": "v22.12.0"}, "Node is 22.12, npm is missing"),
    ],
    ids=["no-node", "old-node", "shim", "no-npm"],
)
def test_play_without_node_or_npm_reports_what_was_found(
    python_only: Path, free_port: int, programs: dict[str, str], found: str
) -> None:
    error = play_error("--port", str(free_port), path=make_path(python_only, **programs))
    assert error.startswith(f"Node 20.19 or newer and npm are required, but {found}")
    assert "Install both (Debian: apt-get install nodejs npm)" in error


def test_check_folders_file_in_the_way_reports_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_folders(tmp_path / "missing" / "folder")
    with pytest.raises(UserFacingError, match=r"Cannot write to the folder .*/file\. .*chown"):
        check_folders(tmp_path, tmp_path / "file" / "state")


def test_check_folders_not_writable_reports_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Tests may run as root, who can write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))
    with pytest.raises(UserFacingError, match=rf"Cannot write to the folder {tmp_path}\. .*chown"):
        check_folders(tmp_path / "missing")


def test_setup_lock_held_by_another_setup_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("devtools.setup.STATE", tmp_path)
    hold = "import sys\nfrom devtools import setup\nfrom pathlib import Path\nsetup.STATE = Path(sys.argv[1])\n"
    hold += "with setup.setup_lock(): print('held', flush=True); sys.stdin.read(); print('released', flush=True)"
    command = [sys.executable, "-c", hold, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        releaser = threading.Timer(0.5, other.stdin.close)
        releaser.start()
        with setup_lock():
            assert other.stdout.readline() == "released\n"
        releaser.join()
    assert capfd.readouterr().out == "Waiting for another set-up of this clone to finish ...\n"


def test_find_uv_without_uv_and_pip_reports_how_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("devtools.setup.STATE", tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserFacingError, match=r"pip is missing.*apt-get install python3-pip"):
        find_uv()


def test_run_unreachable_python_registry_reports_network(tmp_path: Path) -> None:
    variables = {"HTTPS_PROXY": UNREACHABLE_PROXY, "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_HTTP_RETRIES": "0"}
    install = ("pip", "install", "--target", tmp_path / "out", "--require-hashes", "--requirement", UV_LOCK)
    with pytest.raises(UserFacingError, match=r"\nInstalling failed: the package registry does not answer"):
        run("Installing", [find_uv(), *install], **variables)


def test_run_unreachable_npm_registry_reports_network(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(FRONTEND / name, tmp_path)
    variables = {"npm_config_https_proxy": UNREACHABLE_PROXY, "npm_config_cache": str(tmp_path / "cache")}
    with pytest.raises(UserFacingError, match=r"\nInstalling failed: the package registry does not answer"):
        run("Installing", ["npm", "ci"], tmp_path, npm_config_fetch_retries="0", **variables)


def test_run_other_failure_shows_last_lines(tmp_path: Path) -> None:
    with pytest.raises(UserFacingError, match=r"^  \| beta\nTesting failed: see the lines above"):
        run("Testing", ["bash", "-c", "echo beta; exit 3"], tmp_path)


def test_user_facing_error_ends_the_command_without_traceback() -> None:
    code = "from devtools.run import UserFacingError; raise UserFacingError('reason')"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "reason\n")


def test_tool_environment_bytecode_is_switched_off_caches_bytecode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    (tmp_path / "imported.py").touch()
    run("Importing", [sys.executable, "-c", "import imported"], tmp_path)
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


def test_server_environment_with_data_has_no_remote_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/db")
    monkeypatch.setenv("GCP_BUCKET_NAME", "bucket")
    local = server_environment(tmp_path / "data", lockstep=False)
    assert (tmp_path / "data").is_dir()
    assert local["SKILL_ARCADE_HOME"] == str(tmp_path / "data")
    assert local["LOCKSTEP"] == "false"
    assert not {"DATABASE_URL", "GCP_BUCKET_NAME"} & set(local)
    assert server_environment(None, lockstep=True)["GCP_BUCKET_NAME"] == "bucket"


def test_build_stamp_changed_input_is_not_fresh(tmp_path: Path) -> None:
    source, stamp = tmp_path / "source", tmp_path / "stamp"
    source.write_text("one")
    stamp.write_text(digest_files([source], (20, 1)))
    assert is_fresh(stamp, digest_files([source], (20, 1)))
    assert not is_fresh(stamp, digest_files([source], (22, 1)))
    source.write_text("two")
    assert not is_fresh(stamp, digest_files([source], (20, 1)))


def test_link_to_packages_of_another_clone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    link = tmp_path / "second"
    link.symlink_to(tmp_path / "first")
    check_folders(own=[tmp_path / "first", tmp_path / "missing"])
    with pytest.raises(UserFacingError, match=r"is a link to .*first.* Delete the link"):
        check_folders(own=[tmp_path / "first", link])
