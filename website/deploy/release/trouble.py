"""How a command of this package ends when something is wrong."""

import sys
from collections.abc import Callable


class Trouble(Exception):
    """Something is wrong; the message is a sentence that says what."""


def run_main(main: Callable[[list[str]], None]) -> None:
    """Run a command with the arguments after its name: Trouble is one line on standard error and exit code 1."""
    try:
        main(sys.argv[1:])
    except Trouble as trouble:
        sys.stderr.write(f"error: {trouble}\n")
        sys.exit(1)
