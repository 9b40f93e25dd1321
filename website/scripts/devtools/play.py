"""`website/play`: sets up the project from a fresh clone and starts the server."""

import argparse
import os
import socket
import time
from pathlib import Path

from devtools.paths import BACKEND, LOCKSTEP, PYTHON
from devtools.run import UserFacingError, run_quietly, tool_environment
from devtools.setup import check_folders, set_up

REMOTE_SETTINGS = ("DATABASE_URL", "GCP_")


def main(arguments: list[str]) -> None:
    """Set up the project, build the page, and replace this process by the server."""
    parser = argparse.ArgumentParser(
        prog="website/play",
        description="Sets up the project (uv, Python packages, front-end packages, the page) and serves Skill Arcade. "
        "Steps whose inputs did not change are skipped. Settings come from the environment and website/backend/.env.",
    )
    parser.add_argument("--port", type=int, default=8080, help="port to listen on (default: 8080)")
    data = "keep all data in FOLDER, and ignore .env and all settings of a remote database or bucket"
    parser.add_argument("--data", type=Path, metavar="FOLDER", help=data)
    streamed = "stream Atari games instead of running them in the page, and do not build the emulator for that"
    parser.add_argument("--no-lockstep", dest="lockstep", action="store_false", help=streamed)
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    check_port(options.port)
    set_up(page=True)
    if options.lockstep:
        # The build ends with this process, whose ID the server keeps. Until it is done, Atari games are streamed.
        build = (LOCKSTEP / "build", "--background-for", str(os.getpid()))
        print(run_quietly("Starting the build of the page's emulator", build), end="")
    print(f"Set up in {time.monotonic() - begin:.1f} s. Starting the server; Ctrl-C stops it.", flush=True)
    # The server replaces this process, so that it receives the signals and returns its own exit code.
    serve = str(PYTHON.with_name("skill-arcade"))
    environment = server_environment(options.data, lockstep=options.lockstep)
    os.chdir(options.data or BACKEND)
    os.execve(serve, [serve, "serve", "--port", str(options.port)], environment)


def check_port(port: int) -> None:
    """Raise `UserFacingError` if the server cannot listen on `port`."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except (OSError, OverflowError) as error:
        advice = "Stop the program that uses it, or choose another port from 1024 to 65535 with --port."
        raise UserFacingError(f"Cannot listen on port {port} ({error.args[-1]}). {advice}") from error


def server_environment(data: Path | None, *, lockstep: bool) -> dict[str, str]:
    """Return the environment of the server. With a folder `data`, which is created, it has no remote settings."""
    environment = tool_environment() if lockstep else tool_environment() | {"LOCKSTEP": "false"}
    if not data:
        return environment
    check_folders(data)
    data.mkdir(parents=True, exist_ok=True)
    local = {name: value for name, value in environment.items() if not name.startswith(REMOTE_SETTINGS)}
    return local | {"SKILL_ARCADE_HOME": str(data.resolve())}
