"""`website/test`: from a fresh clone to every test passed."""

import argparse
import time
from collections.abc import Sequence

from devtools.checks import CHECKS, Check
from devtools.console import print_line
from devtools.parallel import Result, run_checks
from devtools.setup import set_up


def main(arguments: list[str]) -> int:
    """Set everything up, run the chosen checks to the end, and print_line how each went; 1 when one failed."""
    chosen = read_options(arguments)
    begin = time.monotonic()
    set_up(page=False)
    results = run_checks(chosen)
    print_line(format_summary(results, time.monotonic() - begin))
    return 0 if all(result.passed for result in results) else 1


def read_options(arguments: list[str]) -> list[Check]:
    """The checks that the command line asks for, in their order."""
    names = [check.name for check in CHECKS]
    parser = argparse.ArgumentParser(
        prog="website/test",
        description="Sets everything up, then runs every check, three at a time, and goes on after a failure.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="checks, in order:\n" + "\n".join(f"  {check.name:<10} {check.description}" for check in CHECKS),
    )
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="this one; may be repeated")
    parser.add_argument(
        "--fast",
        action="store_true",
        help="leave out what takes minutes: the browser, and building the emulator for the page",
    )
    options = parser.parse_args(arguments)
    if options.only:
        return [check for check in CHECKS if check.name in options.only]
    return [check for check in CHECKS if not check.on_demand and not (options.fast and check.slow)]


def format_row(result: Result) -> str:
    """One line of the table."""
    word = "passed" if result.passed else "FAILED"
    return f"  {word} {result.seconds:6.1f} s  {result.check.name:<10} {result.check.description}"


def format_summary(results: Sequence[Result], seconds: float) -> str:
    """A table of what ran, and the counts on a line of their own."""
    rows = [format_row(result) for result in results]
    failed = sum(not result.passed for result in results)
    again = "".join(f" --only {result.check.name}" for result in results if not result.passed)
    advice = [f"Run again what failed: website/test{again}"] if failed else []
    counts = f"{len(results) - failed} passed, {failed} failed"
    return "\n".join(["", f"== summary, {seconds:.0f} s in all", *rows, *advice, counts])
