"""`website/play`: sets up the project from a fresh clone and starts the server."""

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
from devtools.run import inherited_environment, run
from devtools.setup import set_up

HOST = "127.0.0.1"
REMOTE_SETTINGS = ("DATABASE_URL", "GCP_")


def main(arguments: list[str]) -> int:
    """Set up the project, build the page, and replace this process by the server."""
    options = read_options(arguments)
    begin = time.monotonic()
    check_port(options.port)
    set_up(page=True)
    folder, environment = BACKEND, inherited_environment()
    if not options.lockstep:
        environment["LOCKSTEP"] = "false"
    elif not lockstep.is_built():
        build_in_background()
    if options.data:
        folder, environment = isolate_data(options.data.resolve(), environment)
    print_line(f"Set up in {time.monotonic() - begin:.1f} s. Starting the server; Ctrl-C stops it.")
    # The server replaces this process, so that it receives the signals and returns its own exit code.
    os.chdir(folder)
    serve = PYTHON.with_name("skill-arcade")
    sys.stdout.flush()
    os.execve(serve, [str(serve), "serve", "--port", str(options.port)], environment)


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="website/play",
        description="Sets up the project (uv, Python packages, front-end packages, the page) and serves Skill Arcade. "
        "Steps whose inputs did not change are skipped. Settings come from the environment and from "
        "website/backend/.env.",
    )
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default: 8080)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="keep the database, the recordings and the secret key in FOLDER, and ignore .env and all settings of a "
        "remote database or bucket",
    )
    parser.add_argument(
        "--no-lockstep",
        dest="lockstep",
        action="store_false",
        help="stream Atari games instead of running them in the page, and do not build the emulator for that",
    )
    return parser.parse_args(arguments)


def build_in_background() -> None:
    """Build the page's emulator at the lowest priority in the background. Until it exists, Atari games are streamed.

    The intermediate shell exits, so the build has no parent and the server gets no child that it did not start. The
    server replaces this process and keeps its process ID, which the build watches: if the server exits, the build exits
    too. The next start continues it.
    """
    log = STATE / "lockstep.log"
    jobs = str(max(1, (os.cpu_count() or 2) - 1))
    build: list[str | Path] = [sys.executable, SCRIPTS, "lockstep", "--jobs", jobs, "--parent-pid", str(os.getpid())]
    script = 'log=$1; shift; nice -n 19 "$@" >"$log" 2>&1 &'
    run(["sh", "-c", script, "sh", log, *build], failure="Cannot start the build of the page's emulator")
    print_line(
        "Building the emulator that runs Atari games in the page, in the background. This takes some minutes, but only "
        f"once (log: {log.relative_to(WEBSITE.parent)}). Until it is built, Atari games are streamed."
    )


def check_port(port: int) -> None:
    """Raise `UserFacingError` if the server cannot listen on `port`."""
    if not 0 < port < 65536:
        raise UserFacingError(f"--port must be a number from 1 to 65535, not {port}.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = "another program is using it. Stop that program"
            else:
                reason = f"{error.strerror}. Choose a port above 1023"
            raise UserFacingError(f"Cannot listen on port {port}: {reason}, or choose another with --port.") from error


def isolate_data(folder: Path, environment: dict[str, str]) -> tuple[Path, dict[str, str]]:
    """Return the working folder and the environment of a server that keeps all its data in `folder`."""
    check_writable(folder)
    local = {name: value for name, value in environment.items() if not name.startswith(REMOTE_SETTINGS)}
    return folder, local | {"SKILL_ARCADE_HOME": str(folder)}
