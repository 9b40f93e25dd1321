"""Installs the back end's Python packages, exactly as locked, into `website/backend/.venv`."""

import sys
from pathlib import Path

from devtools.build_stamps import digest_files, is_fresh, write_stamp
from devtools.console import report_step
from devtools.paths import BACKEND, VENV
from devtools.run import run
from devtools.uv import find_uv

LOCK = BACKEND / "requirements-dev.lock"
PYTHON = VENV / "bin" / "python"
INSTALL_FAILED = "Cannot install the Python packages"


def install_packages() -> None:
    """Make the virtual environment match the lock file, with hashes checked. Does nothing if it matches already."""
    stamp = VENV / ".installed"
    inputs = (LOCK, BACKEND / "pyproject.toml")
    if PYTHON.exists() and is_fresh(stamp, digest_files(inputs, sys.version, *list_installed())):
        return
    uv = find_uv()
    with report_step("Installing Python packages"):
        if not PYTHON.exists():
            run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], failure=INSTALL_FAILED)
        target = ("--python", PYTHON)
        run([uv, "pip", "sync", "--quiet", "--require-hashes", *target, LOCK], failure=INSTALL_FAILED, folder=BACKEND)
        # The project itself has no further dependencies. The locked hatchling builds it, so none is downloaded.
        install = ("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
        run([uv, *install, *target], failure=INSTALL_FAILED, folder=BACKEND)
        write_stamp(stamp, digest_files(inputs, sys.version, *list_installed()))


def list_installed() -> list[str]:
    """Return name and version of each installed package, so that changes made by other tools are noticed."""
    return sorted(path.name for path in Path(VENV).glob("lib/python*/site-packages/*.dist-info"))
