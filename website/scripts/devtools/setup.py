"""Sets up the whole project: the part that `website/play` and `website/test` share."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from devtools import backend, frontend
from devtools.console import print_line
from devtools.paths import BACKEND, FRONTEND, STATE, VENV, check_own, check_writable


def set_up(*, page: bool) -> None:
    """Install missing packages and, if `page` is set, build the front end. Does nothing that was done before."""
    check_writable(STATE, BACKEND, FRONTEND)
    check_own(VENV, FRONTEND / "node_modules")
    node = frontend.check_node()
    with setup_lock():
        backend.install_packages()
        frontend.install_packages(node)
        if page:
            frontend.build_page()


@contextmanager
def setup_lock() -> Iterator[None]:
    """Hold the set-up lock of this clone, so that two commands do not install at the same time."""
    STATE.mkdir(parents=True, exist_ok=True)  # a single test may be the first command in a clone
    with (STATE / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print_line("Waiting for another set-up of this clone to finish ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
