"""The smoke test `website/deploy/smoke`, which uses none of this package, against a local server."""

import subprocess
from pathlib import Path

from devtools.paths import DEPLOY
from tests.support.arcade import running_arcade


def test_smoke_plays_two_games(home: Path) -> None:
    (home / "postgres").mkdir()  # so that the server makes its database itself, as for a new user
    with running_arcade(home) as arcade:
        command: list[str | Path] = [DEPLOY / "smoke", arcade.url, "--games", "2"]
        completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stdout.count("and found them recorded") == 2


def test_smoke_fails_without_server() -> None:
    completed = subprocess.run(
        [DEPLOY / "smoke", "http://127.0.0.1:1", "--wait", "0"], capture_output=True, text=True, check=False
    )
    assert completed.returncode == 1
    assert completed.stderr.startswith("error: ")
    assert "GET http://127.0.0.1:1/health/live failed" in completed.stderr
