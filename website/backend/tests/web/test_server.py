"""The command `skill-arcade serve` as a process: startup, log, shutdown and startup errors."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


def start(home: Path, **settings: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "AUTH_SECRET")}
    command = [sys.executable, "-m", "uvicorn", "skill_arcade.main:app", "--port", "0"]
    return subprocess.Popen(
        command,
        env={**environment, "SKILL_ARCADE_HOME": str(home), **settings},
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(home: Path, **settings: str) -> Iterator[tuple[httpx.Client, list[str]]]:
    """A server, a visitor, and the lines that it logs: the ones so far, and at the end all."""
    server = start(home, **settings)
    assert server.stderr is not None
    lines: list[str] = []
    address = None
    try:
        while address is None:
            lines.append(server.stderr.readline())
            assert lines[-1], lines
            address = re.search(r"running on (http://127\.0\.0\.1:\d+)", lines[-1])
        with httpx.Client(base_url=address[1], timeout=30) as http:
            yield http, lines
        server.send_signal(signal.SIGINT)
        lines += server.communicate(timeout=30)[1].splitlines(keepends=True)
        assert server.returncode in (0, -signal.SIGINT), lines
    finally:
        if server.poll() is None:
            server.kill()
            server.communicate()


def test_serve_starts_and_stops_and_logs_no_secret(home: Path) -> None:
    with running(home, LOG_FORMAT="json") as (http, lines):
        assert http.get("/health/ready").status_code == 200
        session = http.post("/auth/login", json={"email": "ada@example.org"}).json()
        headers = {"authorization": f"Bearer {session['token']}"}
        assert http.get("/auth/me", headers=headers).json()["email"] == "ada@example.org"
        http.get("/auth/me?email=ada@example.org", headers=headers)
        http.get(f"/ws/pong?token={session['token']}")
    entries = [json.loads(line) for line in lines]
    assert [entry for entry in entries if entry["severity"] != "INFO"] == []
    assert any("/ws/pong" in line for line in lines)
    assert "application shutdown complete" in entries[-2]["message"].lower()
    logged = "".join(lines)
    assert session["token"] not in logged
    assert "ada@" not in logged
    secret = (home / "auth-secret").read_text().strip()
    assert secret not in logged


def test_serve_restart_accepts_earlier_session_tokens(home: Path) -> None:
    with running(home) as (http, _):
        token = http.post("/auth/login", json={"email": "ada@example.org"}).json()["token"]
    with running(home) as (http, lines):
        me = http.get("/auth/me", headers={"authorization": f"Bearer {token}"})
        assert me.json()["email"] == "ada@example.org"
    assert [line for line in lines if not re.match(r"\d\d:\d\d:\d\d INFO    [\w.]+: ", line)] == []


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"AUTH_SECRET": "short"}, "AUTH_SECRET: String should have at least 32 characters"),
        ({"GAMES_FOLDER": "{games}"}, "broken.yaml: summary: Field required"),
        ({"DATABASE_URL": "postgresql://ada:hunter2@127.0.0.1:9/none"}, "does not answer"),
        ({"DATABASE_URL": "mysql://127.0.0.1/none"}, "DATABASE_URL: not a Postgres URL"),
    ],
)
def test_serve_startup_error_is_one_line_without_traceback(
    home: Path, tmp_path: Path, settings: dict[str, str], text: str
) -> None:
    games = tmp_path / "games"
    games.mkdir()
    (games / "broken.yaml").write_text("name: Broken\n")
    environment = {name: value.format(games=games) for name, value in settings.items()}
    server = start(home, **environment)
    errors = server.communicate(timeout=60)[1]
    assert server.returncode != 0
    assert text in errors
    assert "Traceback" not in errors
    assert "hunter2" not in errors
