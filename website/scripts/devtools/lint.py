"""`python website/scripts lint-repository`: starts the lint, in the back end's virtual environment if necessary."""

import importlib
import subprocess

from devtools.backend import PYTHON
from devtools.errors import UserFacingError
from devtools.paths import SCRIPTS


def main(arguments: list[str]) -> int:
    """Run the lint and return its exit code."""
    try:
        command = importlib.import_module("devtools.repository_rules.command")
    except ModuleNotFoundError as error:
        if not PYTHON.exists():
            raise UserFacingError(
                f"Cannot run the lint: the package {error.name} is not installed. "
                "Run website/test --only repository, which installs the packages first."
            ) from error
        return subprocess.run([PYTHON, SCRIPTS, "lint-repository", *arguments], check=False).returncode
    return int(command.main(arguments))
