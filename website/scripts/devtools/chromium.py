"""Finds a Chromium for the browser tests, or installs Debian's package."""

import os
import shutil

from devtools.console import report_step
from devtools.errors import UserFacingError
from devtools.run import run

PROGRAM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str:
    """Return the path of a Chromium: `$CHROMIUM`, else one on the PATH, else Debian's package after installing it."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        if not shutil.which(chosen):
            raise UserFacingError(f"CHROMIUM is set to {chosen}, which is not a program. Correct or unset it.")
        return chosen
    return search_path() or install_chromium()


def search_path() -> str | None:
    """Return the first Chromium on the PATH, or None if there is none."""
    return next((path for name in PROGRAM_NAMES if (path := shutil.which(name))), None)


def install_chromium() -> str:
    """Install Debian's package. Raises `UserFacingError` if this is not Debian or the user is not root."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise UserFacingError(
            "The browser test needs Chromium, and none was found. Install it (Debian: sudo apt-get install chromium), "
            "set the variable CHROMIUM to its path, or skip the browser test with website/test --fast."
        )
    with report_step("Installing Chromium with apt-get"):
        run(["apt-get", "update", "--quiet"], failure="Cannot download Debian's list of packages")
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"]
        run(install, failure="Cannot install Chromium")
    found = search_path()
    if not found:
        raise UserFacingError(
            "apt-get installed the package chromium, but no Chromium is on the PATH. "
            "Set the variable CHROMIUM to the path of the program."
        )
    return found
