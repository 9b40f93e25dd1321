"""Tests of `skill-arcade serve` as a process."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from skill_arcade.cli.server import open_sockets
from skill_arcade.errors import SettingsError
from skill_arcade.storage.database.postgres_server import PostgresServer


def start_server(home: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "SKILL_ARCADE_HOME": str(home)}
    environment.pop("DATABASE_URL", None)
    return subprocess.Popen(
        [sys.executable, "-m", "skill_arcade", "serve", "--port", "0"],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_serve_prints_address_and_stops_with_database(home: Path, number: signal.Signals, code: int) -> None:
    server = start_server(home)
    assert server.stdout is not None
    address = re.fullmatch(r"Skill Arcade is at (http://localhost:\d+)\n", server.stdout.readline())
    assert address is not None
    assert httpx.get(f"{address[1]}/health/live", timeout=60).status_code == 200
    assert httpx.get(f"{address[1]}/games", timeout=60).status_code == 200
    assert PostgresServer(home / "postgres").find_postmaster() is not None
    server.send_signal(number)
    _, raises_port_error = server.communicate(timeout=30)
    assert server.returncode == code
    assert "Traceback" not in raises_port_error
    assert PostgresServer(home / "postgres").find_postmaster() is None


def test_bind_to_used_port_names_option() -> None:
    raises_port_error = pytest.raises(SettingsError, match=r"^Port \d+ is in use: .* --port\.$")
    with socket.create_server(("127.0.0.1", 0)) as taken, raises_port_error:
        open_sockets("localhost", taken.getsockname()[1])


def test_bind_to_unknown_host_is_rejected() -> None:
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1"):
        open_sockets("192.0.2.1", 0)
    with pytest.raises(SettingsError, match="no such host"):
        open_sockets("no such host", 0)
