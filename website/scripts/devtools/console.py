"""Output of the commands on the terminal."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def print_line(line: str, *, error: bool = False) -> None:
    """Write one line to standard output, or to standard error, and flush it."""
    stream = sys.stderr if error else sys.stdout
    stream.write(line + "\n")
    stream.flush()


@contextmanager
def report_step(description: str) -> Iterator[None]:
    """Print what is being done, and afterwards how many seconds it took."""
    print_line(f"{description} ...")
    begin = time.monotonic()
    yield
    print_line(f"  done in {time.monotonic() - begin:.1f} s")
