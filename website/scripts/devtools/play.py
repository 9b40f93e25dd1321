"""`website/play`: from a fresh clone to a running arcade."""

import argparse
import errno
import os
import socket
import sys
import time
from pathlib import Path

from devtools import lockstep
from devtools.backend import PYTHON
from devtools.console import print_line
from devtools.errors import UserFacingError
from devtools.paths import BACKEND, SCRIPTS, STATE, WEBSITE, check_writable
from devtools.run import run
from devtools.setup import set_up

HOST = "127.0.0.1"
REMOTE_SETTINGS = ("DATABASE_URL", "GCP_")


def main(arguments: list[str]) -> int:
    """Set everything up, build the page, and become the server."""
    options = read_options(arguments)
    begin = time.monotonic()
    check_port(options.port)
    set_up(page=True)
    folder, environment = BACKEND, dict(os.environ)
    if not options.lockstep:
        environment["LOCKSTEP"] = "false"
    elif not lockstep.is_built():
        build_in_background()
    if options.data:
        folder, environment = isolate_data(options.data.resolve(), environment)
    print_line(f"Ready after {time.monotonic() - begin:.1f} s; starting the server (Ctrl-C ends it).")
    # The server takes this process's place, so that signals and the exit code are its own.
    os.chdir(folder)
    serve = PYTHON.with_name("skill-arcade")
    sys.stdout.flush()
    os.execve(serve, [str(serve), "serve", "--port", str(options.port)], environment)


def read_options(arguments: list[str]) -> argparse.Namespace:
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        prog="website/play",
        description="Sets everything up (uv, Python packages, front-end packages, the page) and serves "
        "Skill Arcade. Quick when nothing changed. Settings come from the environment and "
        "website/backend/.env.",
    )
    parser.add_argument("--port", type=int, default=8080, help="port to serve at (default: 8080)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="BUILD_FOLDER",
        help="keep database, recordings and key in BUILD_FOLDER, and ignore .env and any remote database or bucket",
    )
    parser.add_argument(
        "--no-lockstep",
        dest="lockstep",
        action="store_false",
        help="stream Atari games too, and do not build the emulator that lets them run in the page",
    )
    return parser.parse_args(arguments)


def build_in_background() -> None:
    """Build the emulator of the page at the lowest priority beside the server; until it is there, games are streamed.

    The shell between leaves the build without a parent, so that the server has no child that it did not start. The
    server takes this process's place and keeps its number: when it ends, so does the build, which goes on next time.
    """
    log = STATE / "lockstep.log"
    jobs = str(max(1, (os.cpu_count() or 2) - 1))
    build: list[str | Path] = [sys.executable, SCRIPTS, "lockstep", "--jobs", jobs, "--beside", str(os.getpid())]
    script = 'log=$1; shift; nice -n 19 "$@" >"$log" 2>&1 &'
    run(["sh", "-c", script, "sh", log, *build], failure="The emulator of the page could not be built")
    print_line(
        "Building the emulator that lets Atari games run in the page, beside the server: some minutes, the first time "
        f"only (log: {log.relative_to(WEBSITE.parent)}). Until then they are streamed."
    )


def check_port(port: int) -> None:
    """Raise `UserFacingError` when nobody could listen on `port`."""
    if not 0 < port < 65536:
        raise UserFacingError(f"--port takes a number from 1 to 65535, not {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = "is in use: end the program that has it"
            else:
                reason = f"cannot be used ({error.strerror}): take one above 1023"
            raise UserFacingError(f"Port {port} {reason}, or choose another by --port.") from error


def isolate_data(folder: Path, environment: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """Working folder and environment of a server that has all its data in `folder`."""
    check_writable(folder)
    local = {name: value for name, value in environment.items() if not name.startswith(REMOTE_SETTINGS)}
    return folder, local | {"SKILL_ARCADE_HOME": str(folder)}
