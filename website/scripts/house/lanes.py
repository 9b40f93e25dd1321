"""Runs checks side by side, each lane in its order, and shows what each printed in one piece."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from house.checks import Check
from house.run import tool_environment
from house.say import say
from house.trouble import Trouble

LAST = "last"
SILENCE_SECONDS = 30


@dataclass(frozen=True)
class Result:
    """How a check went."""

    check: Check
    seconds: float
    passed: bool


def run_checks(checks: Sequence[Check]) -> list[Result]:
    """Run all of them to the end, and give their results in the order of `checks`."""
    lanes = {check.lane: [other for other in checks if other.lane == check.lane] for check in checks}
    alone = lanes.pop(LAST, [])
    if len(lanes) > 1:
        results = run_beside(list(lanes.values()))
    else:
        results = [run_check(check) for lane in lanes.values() for check in lane]
    results += [run_check(check) for check in alone]
    return sorted(results, key=lambda result: checks.index(result.check))


def run_beside(lanes: Sequence[Sequence[Check]]) -> list[Result]:
    """Run lanes at the same time; output is shown when a check ends, and what runs is said meanwhile."""
    running: dict[str, float] = {}
    mouth = threading.Lock()

    def run_lane(lane: Sequence[Check]) -> list[Result]:
        results = []
        for check in lane:
            running[check.name] = time.monotonic()
            with tempfile.TemporaryFile() as output:
                result = run_check(check, output.fileno())
                del running[check.name]
                output.seek(0)
                with mouth:
                    say(f"\n== {check.name}: {check.what}, {result.seconds:.1f} s")
                    sys.stdout.buffer.write(output.read())
                    sys.stdout.flush()
            results.append(result)
        return results

    def tell() -> None:
        while not done.wait(SILENCE_SECONDS):
            names = ", ".join(f"{name} ({time.monotonic() - at:.0f} s)" for name, at in sorted(running.items()))
            with mouth:
                say(f"   running: {names}")

    done = threading.Event()
    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        with ThreadPoolExecutor(len(lanes)) as pool:
            futures = [pool.submit(run_lane, lane) for lane in lanes]
            return [result for future in as_completed(futures) for result in future.result()]
    finally:
        done.set()
        teller.join()


def run_check(check: Check, output: int | None = None) -> Result:
    """Run one check; without a file for its output, in plain sight."""
    if output is None:
        say(f"\n== {check.name}: {check.what}")
    begin = time.monotonic()
    try:
        environment = tool_environment() | check.prepare()
    except Trouble as trouble:
        say(str(trouble), error=True)
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
