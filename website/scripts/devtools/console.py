"""What people see while things are being set up."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def print_line(line: str, *, error: bool = False) -> None:
    """Write one line, at once."""
    stream = sys.stderr if error else sys.stdout
    stream.write(line + "\n")
    stream.flush()


@contextmanager
def report_step(what: str) -> Iterator[None]:
    """Say what is being done, then how many seconds it took."""
    print_line(f"{what} ...")
    begin = time.monotonic()
    yield
    print_line(f"  done in {time.monotonic() - begin:.1f} s")
