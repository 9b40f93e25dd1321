"""Runs groups of checks in parallel and prints the output of each check in one piece."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from devtools.checks import SERIAL_GROUP, Check
from devtools.console import print_line
from devtools.errors import UserFacingError
from devtools.run import tool_environment

PROGRESS_INTERVAL_SECONDS = 30


@dataclass(frozen=True)
class Result:
    """Duration and outcome of a check."""

    check: Check
    seconds: float
    passed: bool


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
            with tempfile.TemporaryFile() as output:
                result = run_check(check, output.fileno())
                del running[check.name]
                output.seek(0)
                with output_lock:
                    print_line(f"\n== {check.name}: {check.description}, {result.seconds:.1f} s")
                    sys.stdout.buffer.write(output.read())
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


def run_check(check: Check, output: int | None = None) -> Result:
    """Run one check.

    `output` is the file descriptor that receives the check's output. None means that it is shown on the terminal.
    """
    if output is None:
        print_line(f"\n== {check.name}: {check.description}")
    begin = time.monotonic()
    try:
        environment = tool_environment() | check.prepare()
    except UserFacingError as error:
        print_line(str(error), error=True)
        return Result(check, time.monotonic() - begin, passed=False)
    command = [os.fspath(part) for part in check.command]
    done = subprocess.run(
        command,
        cwd=check.folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        check=False,
    )
    return Result(check, time.monotonic() - begin, passed=done.returncode == 0)
