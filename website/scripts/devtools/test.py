"""`website/test`: sets up the project from a fresh clone and runs its checks."""

import argparse
import time
from collections.abc import Sequence

from devtools.checks import CHECKS, Check
from devtools.console import print_line
from devtools.parallel import Result, run_checks
from devtools.setup import set_up

MAX_FAILED_TESTS = 10
MAX_LINE = 240


def main(arguments: list[str]) -> int:
    """Set up the project, run the selected checks and print a summary. Returns 1 if a check failed, otherwise 0."""
    selected = read_options(arguments)
    begin = time.monotonic()
    set_up(page=False)
    results = run_checks(selected)
    print_line(format_summary(results, time.monotonic() - begin))
    return 0 if all(result.passed for result in results) else 1


def read_options(arguments: list[str]) -> list[Check]:
    """Return the checks that the command line selects, in the order of `CHECKS`."""
    names = [check.name for check in CHECKS]
    width = max(len(name) for name in names)
    parser = argparse.ArgumentParser(
        prog="website/test",
        description="Sets up the project and runs every check, up to three at a time. A failed check does not stop "
        "the others.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="checks, in order:\n" + "\n".join(f"  {check.name:<{width}} {check.description}" for check in CHECKS),
    )
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help="run only this check; can be given several times"
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help="skip the checks that take minutes: the browser test, and the build of the emulator for the page",
    )
    options = parser.parse_args(arguments)
    if options.only:
        return [check for check in CHECKS if check.name in options.only]
    return [check for check in CHECKS if not check.on_demand and not (options.fast and check.slow)]


def format_row(result: Result) -> str:
    """Return the line of the summary for one check. UNSURE: tests failed at first and passed when they ran again."""
    outcome = "FAILED" if not result.passed else "UNSURE" if result.failed_tests else "passed"
    return f"  {outcome} {result.seconds:6.1f} s  {result.check.name:<10} {result.check.description}"


def format_failed_tests(result: Result) -> list[str]:
    """Return a line for each failed test of a check, at most `MAX_FAILED_TESTS` and how many more."""
    shown = [f"  {result.check.name}: {test}"[:MAX_LINE] for test in result.failed_tests[:MAX_FAILED_TESTS]]
    more = len(result.failed_tests) - len(shown)
    return [*shown, f"  {result.check.name}: {more} more"] if more else shown


def format_summary(results: Sequence[Result], seconds: float) -> str:
    """Return a table of the results, the failed tests, the command that repeats the failed checks, and the counts."""
    rows = [format_row(result) for result in results]
    tests = [line for result in results for line in format_failed_tests(result)]
    failed = sum(not result.passed for result in results)
    options = "".join(f" --only {result.check.name}" for result in results if not result.passed)
    advice = [f"To run the failed checks again: website/test{options}"] if failed else []
    unsure = sum(result.passed and bool(result.failed_tests) for result in results)
    if unsure:
        advice.append("UNSURE: the tests above failed, and passed when they ran once more. Find out why they failed.")
    counts = f"{len(results) - failed} passed, {failed} failed"
    return "\n".join(["", f"== summary, {seconds:.0f} s in total", *rows, *tests, *advice, counts])
