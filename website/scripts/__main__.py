"""Entry point of `website/play`, `website/test` and `website/lockstep/build`."""

import importlib
import sys

from devtools.console import print_line
from devtools.errors import UserFacingError

MODULES = {
    "play": "play",
    "test": "test",
    "build": "build",
    "lockstep": "lockstep",
}


def main(arguments: list[str]) -> int:
    """Run the command that the first argument names with the other arguments, and return its exit code.

    A `UserFacingError` is printed without a traceback.
    """
    if not arguments or arguments[0] not in MODULES:
        print_line(f"usage: website/scripts COMMAND; the commands are {', '.join(MODULES)}", error=True)
        return 2
    command = importlib.import_module(f"devtools.{MODULES[arguments[0]]}")
    try:
        return int(command.main(arguments[1:]))
    except UserFacingError as error:
        print_line(str(error), error=True)
        return 1
    except KeyboardInterrupt:
        print_line("Stopped.", error=True)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
