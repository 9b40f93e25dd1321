"""Shares the embedded Postgres between processes: the first user starts the server, the last one stops it.

Each user holds a shared lock on the file `users`, which the kernel releases when the process dies. The file `lock` is
locked exclusively while the server is started or stopped.
"""

import asyncio
import atexit
import fcntl
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from skill_arcade.errors import NotReady, SettingsError
from skill_arcade.storage.database.postgres_server import PostgresServer

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
"""Interval at which the embedded Postgres is checked and restarted if it has exited."""


class EmbeddedPostgres:
    """A reference to the server of a folder. The server runs at least as long as one reference is open."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        """Start the server unless it runs. Blocks for about 1 s, or several seconds for a new folder.

        Raises:
            SettingsError: the package is not installed, or the folder is not writable.
            NotReady: the server does not start.
        """
        self.server = PostgresServer(folder, options)
        self._pid = os.getpid()
        self._users: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._hold_start_lock():
                self._users = _lock_file(folder / "users", fcntl.LOCK_SH)
                self.server.ensure_started()
        except OSError as error:
            self._release_lock()
            reason = f"Cannot use {error.filename or folder} ({error.strerror})"
            raise SettingsError(f"{reason}: set SKILL_ARCADE_HOME to a folder that you own.") from error
        except BaseException:
            self._release_lock()
            raise

    def ensure_started(self) -> None:
        """Start the server if it has exited. Raises NotReady."""
        with self._hold_start_lock():
            self.server.ensure_started()

    def close(self) -> None:
        """Release the reference, and stop the server if it was the last one. Does nothing in a forked child."""
        if self._users is None or self._pid != os.getpid():
            return
        with self._hold_start_lock():
            if self._is_last_user(self._users):
                self.server.stop()
            self._release_lock()

    def _is_last_user(self, users: int) -> bool:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release_lock(self) -> None:
        if self._users is not None:
            os.close(self._users)
            self._users = None

    @contextmanager
    def _hold_start_lock(self) -> Iterator[None]:
        lock = _lock_file(self.server.folder / "lock", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)


def _lock_file(path: Path, operation: int) -> int:
    """Wait for a lock on the file at `path`. The lock is released when the returned file descriptor is closed."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, operation)
    return file


async def keep_running(folder: Path) -> None:
    """Restart the server of `folder` whenever it has exited, until cancelled. This process must hold a reference."""
    server = PostgresServer(folder)
    while True:
        await asyncio.sleep(POLL_SECONDS)
        if await asyncio.to_thread(server.find_postmaster) is None:
            log.warning("embedded Postgres exited, restarting folder=%s", folder)
            try:
                await asyncio.to_thread(restart, folder)
            except NotReady as error:
                log.error("cannot restart the embedded Postgres: %s", error)


def restart(folder: Path) -> None:
    """Start the server of `folder` unless it runs. Raises NotReady."""
    with _guard:
        reference = _open.get(folder.resolve())
        if reference is not None:
            reference[0].ensure_started()


# References of this process: folder to the server and the number of `open_embedded` calls.
_open: dict[Path, tuple[EmbeddedPostgres, int]] = {}
_guard = threading.Lock()


def open_embedded(folder: Path) -> EmbeddedPostgres:
    """Open a reference to the server of `folder`. Each call needs one `close_embedded`, or the end of this process."""
    key = folder.resolve()
    with _guard:
        server, count = _open.get(key) or (EmbeddedPostgres(key), 0)
        _open[key] = (server, count + 1)
    return server


def close_embedded(folder: Path) -> None:
    """Undo one call of `open_embedded`."""
    key = folder.resolve()
    with _guard:
        server, count = _open.pop(key)
        if count > 1:
            _open[key] = (server, count - 1)
        else:
            server.close()


@atexit.register
def _close_all() -> None:
    while _open:
        _, (server, _count) = _open.popitem()
        server.close()
