"""What the check against Google's own programs needs: those programs, as website/deploy pins them."""

from house.chromium import find_chromium
from house.frontend import check_node
from house.paths import DEPLOY
from house.run import run
from house.say import step
from house.stamps import digest_files, is_fresh, write_stamp

TOOLS = DEPLOY / "tools"


def prepare_cloud() -> dict[str, str]:
    """Install Firebase's client, in which its emulators are, when its lock changed; find a Chromium."""
    stamp = TOOLS / "node_modules" / ".installed"
    digest = digest_files([TOOLS / "package-lock.json"], check_node())
    if not is_fresh(stamp, digest):
        with step("Installing Firebase's client"):
            # None of its 600 packages runs anything while it is installed.
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run(command, failing="Firebase's client could not be installed", folder=TOOLS)
            write_stamp(stamp, digest)
    return {"CHROMIUM": find_chromium()}
