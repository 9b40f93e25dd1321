"""Servers on one database and one object folder, each with a home and a journal of its own."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
from sqlalchemy import URL

from tests.support.arcade import find_port
from tests.support.database import temporary_home
from tests.support.faults.outside import build_clock_shim
from tests.support.lockstep_page import EMPTY_MODULE
from tests.support.server import ServerUnderTest

ADDRESSED = {"SOCKET_ORIGIN": "{socket_origin}", "SOCKET_ORIGINS": "{socket_origins}"}
"""Settings with which each server has an address of its own, and tickets may name those of all."""
ServerPair = tuple[ServerUnderTest, ServerUnderTest]
CLOCK_SKEW_SECONDS = 5


@contextmanager
def running_pair(url: URL, **settings: str) -> Iterator[ServerPair]:
    """Start two servers, and stop them at the end. See `running_servers`."""
    with running_servers(url, 2, **settings) as (one, two):
        yield one, two


@contextmanager
def running_servers(url: URL, n_servers: int, **settings: str) -> Iterator[list[ServerUnderTest]]:
    """Start servers, and stop them at the end.

    In a setting `{socket_origin}` is the server's own origin, and `{socket_origins}` are those of all.
    If there is a C compiler, the clock of the second one is `CLOCK_SKEW_SECONDS` ahead.
    """
    with temporary_home() as home:
        objects = home / "objects"
        objects.mkdir()
        (home / "lockstep.wasm").write_bytes(EMPTY_MODULE)
        servers = []
        for name in ("one", "two", "three", "four")[:n_servers]:
            (home / name).mkdir()
            (home / name / "objects").symlink_to(objects)
            common = {
                "DATABASE_URL": url.render_as_string(hide_password=False),
                "RATE_LIMIT_BURST": "1000",
                "AUTH_SECRET": "x" * 32,
                "LOG_LEVEL": "INFO",
                "LOCKSTEP_FOLDER": str(home),
            }
            servers.append(ServerUnderTest(home / name, common | settings))
        for server in servers:
            server.port = find_port()
        origins = ",".join(socket_origin(server) for server in servers)
        for server in servers:
            server.settings = {
                name: value.replace("{socket_origin}", socket_origin(server)).replace("{socket_origins}", origins)
                for name, value in server.settings.items()
            }
        if shutil.which("cc"):
            (home / "clock").mkdir()
            servers[1].settings |= build_clock_shim(home / "clock")
            (home / "clock" / "offset").write_text(str(CLOCK_SKEW_SECONDS))
        try:
            for server in servers:
                server.start()
            yield servers
        finally:
            for server in servers:
                if server.running.poll() is None:
                    server.running.send_signal(signal.SIGCONT)
                    server.stop()


def socket_origin(server: ServerUnderTest) -> str:
    """Return the origin of a server's play sockets."""
    return f"ws://127.0.0.1:{server.port}"


def kill_machine(server: ServerUnderTest) -> None:
    """Kill a server and all of its processes at once, so that none of them can seal or upload anything."""
    family = [server.server, *server.server.children(recursive=True)]
    for process in family:
        process.suspend()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    server.running.wait(10)
    psutil.wait_procs(family, 10)
