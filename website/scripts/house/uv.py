"""Finds uv, or installs it for this project alone."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from house.paths import BACKEND, STATE
from house.run import run
from house.say import step
from house.trouble import Trouble

OLDEST = (0, 9)
OWN_FOLDER = STATE / "uv"
OWN_LOCK = BACKEND / "requirements-uv.lock"


def find_uv() -> Path:
    """Path of uv: on the PATH and new enough, else this project's own, installed by pip when missing."""
    found = shutil.which("uv")
    if found and uv_version(Path(found)) >= OLDEST:
        return Path(found)
    own = OWN_FOLDER / "bin" / "uv"
    if not own.is_file() or uv_version(own) < OLDEST:
        install_uv()
    return own


def uv_version(uv: Path) -> tuple[int, ...]:
    """(major, minor) of this uv; (0,) when it does not answer, as a version manager's empty shim does."""
    answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False)
    numbers = re.match(r"uv (\d+)\.(\d+)", answer.stdout)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0,)


def install_uv() -> None:
    """Install uv by pip into a folder of its own.

    A target folder needs no rights outside the clone, no venv module, and works where the system's Python is
    "externally managed".
    """
    if importlib.util.find_spec("pip") is None:
        raise Trouble("pip is missing: install it (Debian: apt-get install python3-pip), or uv, then run this again.")
    with step("Installing uv by pip"):
        run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--only-binary", ":all:", "--upgrade", "--target", OWN_FOLDER),
                *("--require-hashes", "--requirement", OWN_LOCK),
            ],
            failing="uv could not be installed by pip",
        )
