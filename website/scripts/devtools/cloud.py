"""Prepares the check `cloud`, which runs the page against Firebase's own emulators."""

from devtools.build_stamps import digest_files, is_fresh, write_stamp
from devtools.chromium import find_chromium
from devtools.console import report_step
from devtools.frontend import check_node
from devtools.paths import DEPLOY
from devtools.run import run

TOOLS = DEPLOY / "tools"


def install_firebase_tools() -> dict[str, str]:
    """Install the Firebase CLI with its emulators if its lock file changed, and return the check's variables."""
    stamp = TOOLS / "node_modules" / ".installed"
    digest = digest_files([TOOLS / "package-lock.json"], check_node())
    if not is_fresh(stamp, digest):
        with report_step("Installing the Firebase CLI"):
            # None of its 600 packages may run a script during the installation.
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run(command, failure="Cannot install the Firebase CLI", folder=TOOLS)
            write_stamp(stamp, digest)
    return {"CHROMIUM": find_chromium()}
