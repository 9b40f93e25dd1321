"""Runs groups of checks in parallel and prints the output of each check in one piece."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from devtools.checks import SERIAL_GROUP, Check
from devtools.console import print_line
from devtools.errors import UserFacingError
from devtools.run import tool_environment

PROGRESS_INTERVAL_SECONDS = 30
OUTPUT_GRACE_SECONDS = 5
"""Time in which the last output of a check that has ended is read."""
COLOR = re.compile(rb"\x1b\[[0-9;]*m")
FAILED_TEST = re.compile(rb"^(?:FAILED |ERROR (?=\S+::)|\s*(FAIL) )\s*(.+)")
"""Line on which pytest (`FAILED path::test - error`) or Vitest (`FAIL  file > test`) names a failed test.

The first group is there for Vitest, which prints the error on the next line.
"""


@dataclass(frozen=True)
class Result:
    """Duration and outcome of a check, and the tests that its output names as failed.

    A check with failed tests has passed if they passed when they ran once more.
    """

    check: Check
    seconds: float
    passed: bool
    failed_tests: tuple[str, ...] = ()


def run_checks(checks: Sequence[Check]) -> list[Result]:
    """Run all checks, also after a failure, and return their results in the order of `checks`."""
    groups = {check.group: [other for other in checks if other.group == check.group] for check in checks}
    serial = groups.pop(SERIAL_GROUP, [])
    if len(groups) > 1:
        results = run_parallel(list(groups.values()))
    else:
        results = [run_check(check) for group in groups.values() for check in group]
    results += [run_check(check) for check in serial]
    return sorted(results, key=lambda result: checks.index(result.check))


def run_parallel(groups: Sequence[Sequence[Check]]) -> list[Result]:
    """Run groups of checks in parallel. Prints a check's output when it ends, and regularly what is running."""
    running: dict[str, float] = {}
    output_lock = threading.Lock()

    def run_group(group: Sequence[Check]) -> list[Result]:
        results = []
        for check in group:
            running[check.name] = time.monotonic()
            output: list[bytes] = []
            result = run_check(check, output.append)
            del running[check.name]
            with output_lock:
                print_line(f"\n== {check.name}: {check.description}, {result.seconds:.1f} s")
                sys.stdout.buffer.write(b"".join(output))
                sys.stdout.flush()
            results.append(result)
        return results

    def report_running() -> None:
        while not finished.wait(PROGRESS_INTERVAL_SECONDS):
            names = ", ".join(f"{name} ({time.monotonic() - at:.0f} s)" for name, at in sorted(running.items()))
            with output_lock:
                print_line(f"   running: {names}")

    finished = threading.Event()
    reporter = threading.Thread(target=report_running, daemon=True)
    reporter.start()
    try:
        with ThreadPoolExecutor(len(groups)) as pool:
            futures = [pool.submit(run_group, group) for group in groups]
            return [result for future in as_completed(futures) for result in future.result()]
    finally:
        finished.set()
        reporter.join()


def run_check(check: Check, write: Callable[[bytes], object] | None = None) -> Result:
    """Run one check.

    `write` receives each line of the check's output. None means that it is shown on the terminal.
    """
    if write is None:
        print_line(f"\n== {check.name}: {check.description}")
        write = write_to_terminal
    begin = time.monotonic()
    try:
        environment = tool_environment() | check.prepare()
    except UserFacingError as error:
        print_line(str(error), error=True)
        return Result(check, time.monotonic() - begin, passed=False)
    passed, failed_tests = run_command(check.command, check.folder, environment, write)
    if not passed and check.retry is not None and (again := check.retry(failed_tests)) is not None:
        write(f"\n== {check.name}: failed tests once more, alone\n".encode())
        passed, _ = run_command(again, check.folder, environment, write)
    return Result(check, time.monotonic() - begin, passed, failed_tests)


def run_command(
    command: Sequence[str | Path], folder: Path, environment: dict[str, str], write: Callable[[bytes], object]
) -> tuple[bool, tuple[str, ...]]:
    """Run a command and pass each line of its output to `write`. Return whether it passed, and the failed tests."""
    process = subprocess.Popen(
        [os.fspath(part) for part in command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    failed_tests = FailedTests()

    def read_output(output: IO[bytes]) -> None:
        with output:
            for line in output:
                write(line)
                failed_tests.read(COLOR.sub(b"", line))

    reader = threading.Thread(target=read_output, args=(process.stdout,), daemon=True)
    reader.start()
    passed = process.wait() == 0
    # A program that the check has left behind may hold the pipe open.
    reader.join(OUTPUT_GRACE_SECONDS)
    return passed, failed_tests.lines()


class FailedTests:
    """The failed tests that the output of a test runner names, with their errors."""

    def __init__(self) -> None:
        self._errors: dict[str, str] = {}
        self._without_error: list[str] = []

    def read(self, line: bytes) -> None:
        """Read the next line of the output, without colors."""
        text = line.decode(errors="replace").strip()
        if found := FAILED_TEST.match(line):
            name = found[2].decode(errors="replace").strip()
            is_new = name not in self._errors
            self._errors.setdefault(name, "")
            if found[1] and is_new:
                self._without_error.append(name)
        elif text:
            # Vitest names all tests that failed with an error above it.
            self._errors.update(dict.fromkeys(self._without_error, text))
            self._without_error.clear()

    def lines(self) -> tuple[str, ...]:
        """Return a line for each test: its name and, if known, its error."""
        return tuple(f"{name} - {error}" if error else name for name, error in self._errors.items())


def write_to_terminal(line: bytes) -> None:
    """Show a line at once."""
    sys.stdout.buffer.write(line)
    sys.stdout.flush()
