"""The embedded Postgres, shared: whoever opens it first starts it, whoever closes it last stops it.

A process that has it open holds a shared lock on the file `users`; after `kill -9` the kernel lets it go.
The file `lock` is held while the server is started or stopped.
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
    """A hold on the server of a folder: it runs at least as long as this is open."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        """Start the server when nobody has yet. Blocks: about a second, a few for a new folder.

        Raises:
            SettingsError: the wheel is not installed, or the folder can't be written.
            NotReady: the server does not start.
        """
        self.server = PostgresServer(folder, options)
        self._pid = os.getpid()
        self._users: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._has_no_other_users():
                self._users = _lock_file(folder / "users", fcntl.LOCK_SH)
                self.server.ensure_started()
        except OSError as error:
            self._release_lock()
            place = f"{error.filename or folder} can't be used ({error.strerror})"
            raise SettingsError(f"{place}: set SKILL_ARCADE_HOME to a folder of yours.") from error
        except BaseException:
            self._release_lock()
            raise

    def ensure_started(self) -> None:
        """Start the server again if somebody killed it. Raises NotReady."""
        with self._has_no_other_users():
            self.server.ensure_started()

    def close(self) -> None:
        """Let go, and stop the server if nobody else holds it. A forked child leaves that to its parent."""
        if self._users is None or self._pid != os.getpid():
            return
        with self._has_no_other_users():
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
    def _has_no_other_users(self) -> Iterator[None]:
        lock = _lock_file(self.server.folder / "lock", fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(lock)


def _lock_file(path: Path, kind: int) -> int:
    """Wait for a lock on the file at `path`; it lasts until the returned descriptor is closed."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, kind)
    return file


async def keep_running(folder: Path) -> None:
    """Start the server of `folder` again whenever it is found dead, until cancelled. This process must hold it."""
    server = PostgresServer(folder)
    while True:
        await asyncio.sleep(POLL_SECONDS)
        if await asyncio.to_thread(server.find_postmaster) is None:
            log.warning("the embedded Postgres in %s is gone; it starts again", folder)
            try:
                await asyncio.to_thread(restart, folder)
            except NotReady as error:
                log.error("%s", error)


def restart(folder: Path) -> None:
    """Start the server of `folder` if it does not run. Raises NotReady."""
    with _guard:
        held = _open.get(folder.resolve())
        if held is not None:
            held[0].ensure_started()


# What this process holds, and how often it was opened.
_open: dict[Path, tuple[EmbeddedPostgres, int]] = {}
_guard = threading.Lock()


def open_embedded(folder: Path) -> EmbeddedPostgres:
    """Hold the server of `folder` until as many `close_embedded`, or the end of this process."""
    key = folder.resolve()
    with _guard:
        held, times = _open.get(key) or (EmbeddedPostgres(key), 0)
        _open[key] = (held, times + 1)
    return held


def close_embedded(folder: Path) -> None:
    """Take one `open_embedded` back."""
    key = folder.resolve()
    with _guard:
        held, times = _open.pop(key)
        if times > 1:
            _open[key] = (held, times - 1)
        else:
            held.close()


@atexit.register
def _close_all() -> None:
    while _open:
        _, (held, _times) = _open.popitem()
        held.close()
