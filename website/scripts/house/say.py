"""What people see while things are being set up."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(line: str, *, error: bool = False) -> None:
    """Write one line, at once."""
    stream = sys.stderr if error else sys.stdout
    stream.write(line + "\n")
    stream.flush()


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, then how many seconds it took."""
    say(f"{what} ...")
    begin = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - begin:.1f} s")
