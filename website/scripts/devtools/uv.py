"""Finds uv, or installs it for this clone only."""

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
    """Return the path of uv: one on the PATH that is new enough, else this clone's own after installing it by pip."""
    found = shutil.which("uv")
    if found and uv_version(Path(found)) >= MIN_UV_VERSION:
        return Path(found)
    local = UV_FOLDER / "bin" / "uv"
    if not local.is_file() or uv_version(local) < MIN_UV_VERSION:
        install_uv()
    return local


def uv_version(uv: Path) -> tuple[int, ...]:
    """Return (major, minor) of this uv, or (0,) if it prints no version, like an empty shim of a version manager."""
    answer = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False)
    numbers = re.match(r"uv (\d+)\.(\d+)", answer.stdout)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0,)


def install_uv() -> None:
    """Install uv by pip into a folder of this clone.

    `pip --target` needs neither write access outside the clone nor the venv module, and it works where the system's
    Python is "externally managed".
    """
    if importlib.util.find_spec("pip") is None:
        raise UserFacingError(
            "pip is missing. Install it (Debian: apt-get install python3-pip) or uv, and run this command again."
        )
    with report_step("Installing uv with pip"):
        run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-deps", "--only-binary", ":all:", "--upgrade", "--target", UV_FOLDER),
                *("--require-hashes", "--requirement", UV_LOCK),
            ],
            failure="Cannot install uv with pip",
        )
