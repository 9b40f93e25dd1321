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
from typing import IO

from devtools.checks import SERIAL_GROUP, Check
from devtools.console import print_line
from devtools.errors import UserFacingError
from devtools.run import tool_environment

PROGRESS_INTERVAL_SECONDS = 30
OUTPUT_GRACE_SECONDS = 5
"""Time in which the last output of a check that has ended is read."""
COLOR = re.compile(rb"\x1b\[[0-9;]*m")
FAILED_TEST = re.compile(rb"^(?:FAILED |ERROR (?=\S+::)|\s*FAIL )\s*(.+)")
"""Line on which pytest (`FAILED path::test - error`) or Vitest (`FAIL  file > test`) names a failed test."""


@dataclass(frozen=True)
class Result:
    """Duration and outcome of a check, and the tests that its output names as failed."""

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
    process = subprocess.Popen(
        [os.fspath(part) for part in check.command],
        cwd=check.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    failed_tests: dict[str, None] = {}

    def read_output(output: IO[bytes]) -> None:
        with output:
            for line in output:
                write(line)
                if found := FAILED_TEST.match(COLOR.sub(b"", line)):
                    failed_tests[found[1].decode(errors="replace").strip()] = None

    reader = threading.Thread(target=read_output, args=(process.stdout,), daemon=True)
    reader.start()
    passed = process.wait() == 0
    # A program that the check has left behind may hold the pipe open.
    reader.join(OUTPUT_GRACE_SECONDS)
    return Result(check, time.monotonic() - begin, passed, tuple(failed_tests))


def write_to_terminal(line: bytes) -> None:
    """Show a line at once."""
    sys.stdout.buffer.write(line)
    sys.stdout.flush()
