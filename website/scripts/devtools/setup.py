"""Sets the whole project up: what `play` and `test` have in common."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from devtools import backend, frontend
from devtools.console import print_line
from devtools.paths import BACKEND, FRONTEND, STATE, check_writable


def set_up(*, page: bool) -> None:
    """Install what is missing; with `page`, build the page too. Takes no time when all is there."""
    check_writable(STATE, BACKEND, FRONTEND)
    node = frontend.check_node()
    with setup_lock():
        backend.install_packages()
        frontend.install_packages(node)
        if page:
            frontend.build_page()


@contextmanager
def setup_lock() -> Iterator[None]:
    """Hold this clone's set-up lock, so that two commands started together do not install over each other."""
    with (STATE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_line("Waiting for another set-up of this clone to end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
