"""`website/deploy/smoke`, which knows nothing of this package, signs in here, plays, and finds what it played."""

import subprocess
from pathlib import Path

from devtools.paths import DEPLOY
from tests.support.arcade import running_arcade


def test_the_smoke_test_plays_here(home: Path) -> None:
    with running_arcade(home) as arcade:
        command: list[str | Path] = [DEPLOY / "smoke", arcade.url, "--games", "2"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("and found them recorded") == 2


def test_the_smoke_test_fails_where_nobody_serves() -> None:
    done = subprocess.run(
        [DEPLOY / "smoke", "http://127.0.0.1:1", "--wait", "0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "GET http://127.0.0.1:1/healthz failed" in done.stderr
