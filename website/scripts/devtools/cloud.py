"""What the check against Google's own programs needs: those programs, as website/deploy pins them."""

from devtools.build_stamps import digest_files, is_fresh, write_stamp
from devtools.chromium import find_chromium
from devtools.console import report_step
from devtools.frontend import check_node
from devtools.paths import DEPLOY
from devtools.run import run

TOOLS = DEPLOY / "tools"


def install_firebase_tools() -> dict[str, str]:
    """Install Firebase's client, in which its emulators are, when its lock changed; find a Chromium."""
    stamp = TOOLS / "node_modules" / ".installed"
    digest = digest_files([TOOLS / "package-lock.json"], check_node())
    if not is_fresh(stamp, digest):
        with report_step("Installing Firebase's client"):
            # None of its 600 packages runs anything while it is installed.
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run(command, failure="Firebase's client could not be installed", folder=TOOLS)
            write_stamp(stamp, digest)
    return {"CHROMIUM": find_chromium()}
