"""Runs the command that an entrance (`website/play`, `website/test`, `website/backend/lock`) asks for."""

import importlib
import sys

from devtools.console import print_line
from devtools.errors import UserFacingError

COMMANDS = ("play", "test", "lock", "build", "lockstep")


def main(arguments: list[str]) -> int:
    """Run the command named first with the arguments after it; what went wrong is said in a sentence."""
    if not arguments or arguments[0] not in COMMANDS:
        print_line(f"usage: one of {', '.join(COMMANDS)}", error=True)
        return 2
    command = importlib.import_module(f"devtools.{arguments[0]}")
    try:
        return int(command.main(arguments[1:]))
    except UserFacingError as trouble:
        print_line(str(trouble), error=True)
        return 1
    except KeyboardInterrupt:
        print_line("Stopped.", error=True)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
