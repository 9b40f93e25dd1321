"""Finds a Chromium for the browser test, or installs Debian's."""

import os
import shutil

from devtools.console import report_step
from devtools.errors import UserFacingError
from devtools.run import run

PROGRAM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> str:
    """Path of a Chromium: $CHROMIUM, one on the PATH, or Debian's package when it can be installed."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        if not shutil.which(chosen):
            raise UserFacingError(f"CHROMIUM is set to {chosen}, which is no program: correct or unset it.")
        return chosen
    return search_path() or install_chromium()


def search_path() -> str | None:
    """The first Chromium on the PATH."""
    return next((path for name in PROGRAM_NAMES if (path := shutil.which(name))), None)


def install_chromium() -> str:
    """Install Debian's package, when this is Debian and we may."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise UserFacingError(
            "The browser test needs Chromium: install it (Debian: sudo apt-get install chromium) or name "
            "one in the variable CHROMIUM; website/test --fast goes without it."
        )
    with report_step("Installing Chromium by apt-get"):
        run(["apt-get", "update", "--quiet"], failure="The list of Debian's packages could not be fetched")
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"]
        run(install, failure="Chromium could not be installed")
    found = search_path()
    if not found:
        raise UserFacingError(
            "apt-get installed the package chromium, but no Chromium is on the PATH: name it in CHROMIUM."
        )
    return found
