"""Error handling of the commands in this package."""

import sys
from collections.abc import Callable


class UserFacingError(Exception):
    """Something is wrong. The message says what failed and why; it is shown without a traceback."""


def run_main(main: Callable[[list[str]], None]) -> None:
    """Run a command with the arguments of this process. A `UserFacingError` is printed and exits with code 1."""
    try:
        main(sys.argv[1:])
    except UserFacingError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(1)
