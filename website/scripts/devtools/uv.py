"""Finds uv, or installs it for this project build_lock."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

from devtools.console import report_step
from devtools.errors import UserFacingError
from devtools.paths import BACKEND, STATE
from devtools.run import run

MIN_UV_VERSION = (0, 9)
UV_FOLDER = STATE / "uv"
UV_LOCK = BACKEND / "requirements-uv.lock"


def find_uv() -> Path:
    """Path of uv: on the PATH and new enough, else this project's own, installed by pip when missing."""
    found = shutil.which("uv")
    if found and uv_version(Path(found)) >= MIN_UV_VERSION:
        return Path(found)
    own = UV_FOLDER / "bin" / "uv"
    if not own.is_file() or uv_version(own) < MIN_UV_VERSION:
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
        raise UserFacingError(
            "pip is missing: install it (Debian: apt-get install python3-pip), or uv, then run this again."
        )
    with report_step("Installing uv by pip"):
        run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--only-binary", ":all:", "--upgrade", "--target", UV_FOLDER),
                *("--require-hashes", "--requirement", UV_LOCK),
            ],
            failure="uv could not be installed by pip",
        )
