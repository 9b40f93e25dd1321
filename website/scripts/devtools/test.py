"""`website/test`: sets up the project from a fresh clone and runs its checks."""

import argparse
import functools
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO, Any, NamedTuple

from devtools.paths import BACKEND, DEPLOY, FRONTEND, LOCKSTEP, PYTHON, SCRIPTS
from devtools.run import UserFacingError, tool_environment
from devtools.setup import find_chromium, set_up

PARALLEL = ("data", "play", "backend", "frontend")  # groups that run in parallel, each check by check; others run alone
ON_DEMAND = "on demand"  # group of checks that take long, or need rare programs, so that only --only selects them
SLOW = ("lockstep", "browser")  # checks that --fast skips
PROGRESS_INTERVAL_SECONDS, OUTPUT_GRACE_SECONDS = 30, 5  # the latter for the last output of a check that has ended
MAX_RETRIED_FILES = 2  # of unsteady browser tests; if more fail, the change is at fault
MAX_FAILED_TESTS, MAX_LINE_CHARACTERS = 10, 240
COLOR = re.compile(r"\x1b\[[0-9;]*m")
FAILED_TEST = re.compile(r"(?:FAILED |ERROR (?=\S+::)|\s*(FAIL) )\s*(.+)")
"""Line on which pytest (`FAILED path::test - error`) or Vitest (`FAIL  file > test`) names a failed test."""
show = functools.partial(print, end="", flush=True)
Write = Callable[[str], object]


class Check(NamedTuple):
    """A command that passes if its exit code is 0."""

    name: str
    description: str
    group: str
    folder: Path
    command: Sequence[str | Path]
    prepare: Callable[[], dict[str, str]] = dict  # installs what the command needs, and returns variables for it
    retry: Sequence[str] = ()  # arguments that precede the test files that run once more (decisions/0057)


class Result(NamedTuple):
    """Outcome of a check, and the failed tests that its output names. If it has passed, they passed in a second run."""

    check: Check
    seconds: float
    passed: bool
    failed_tests: Sequence[str] = ()


def python(program: str, *arguments: str | Path) -> list[str | Path]:
    return [PYTHON.with_name(program), *arguments]


def npm(script: str) -> list[str]:
    return ["npm", "run", "--silent", script]


CHECKS = (
    Check("ruff", "Python: lint", "backend", BACKEND, python("ruff", "check", "..")),
    Check("format", "Python: format", "backend", BACKEND, python("ruff", "format", "--check", "..")),
    Check("mypy", "Python: types", "backend", BACKEND, python("mypy")),
    Check("imports", "Python: layers of imports", "backend", BACKEND, python("lint-imports", "--no-logo")),
    Check("repository", "rules of names, docs, locks", "backend", BACKEND, python("pytest", "-q", "tests/repository")),
    Check("rules", "tests of the developer tools", "backend", BACKEND, python("pytest", "-q", "tests/devtools")),
    Check("generated", "page: generated types are current", "frontend", FRONTEND, npm("generate:check")),
    Check("tsc", "page: types", "frontend", FRONTEND, npm("types")),
    Check("eslint", "page: lint", "frontend", FRONTEND, npm("lint")),
    Check("prettier", "page: format", "frontend", FRONTEND, npm("format:check")),
    Check("lockstep", "builds the emulator that runs in the page", "frontend", LOCKSTEP, ["./build"]),
    Check("vitest", "page: unit tests", "frontend", FRONTEND, npm("test")),
    Check("build", "page: build", "frontend", FRONTEND, python("python", SCRIPTS, "build")),
    Check("size", "page: size of the build", "frontend", FRONTEND, npm("size")),
    Check("backend", "tests of the server", "backend", BACKEND, python("pytest", "-q", "@tests/checks/backend.txt")),
    Check("deploy", "deployment: scripts, workflows, image", "frontend", DEPLOY, python("pytest", "-q")),
    Check("data", "tests of games, records, data", "data", BACKEND, python("pytest", "-q", "@tests/checks/data.txt")),
    Check("play", "tests of play and upload", "play", BACKEND, python("pytest", "-q", "@tests/checks/play.txt")),
    Check("slow", "tests that take minutes", ON_DEMAND, BACKEND, python("pytest", "-q", "-m", "slow")),
    Check("readers", "exports, read by other libraries", ON_DEMAND, BACKEND, python("python", "-m", "tests.readers")),
    Check("clients", "deployment: real clients", ON_DEMAND, DEPLOY, python("pytest", "-q", "--clients=real")),
    Check("cloud", "page with Firebase's emulators", ON_DEMAND, FRONTEND, npm("cloud"), find_chromium),
    Check("browser", "plays in Chromium", "alone", FRONTEND, npm("e2e"), find_chromium, ("--", "--maxWorkers=1")),
)


def main(arguments: list[str]) -> None:
    """Set up the project, run the selected checks and print a summary. Exits with 1 if a check failed."""
    selected = read_options(arguments)
    begin = time.monotonic()
    set_up(page=False)
    results = run_checks(selected)
    print(format_summary(results, time.monotonic() - begin))
    sys.exit(not all(result.passed for result in results))


def read_options(arguments: list[str]) -> list[Check]:
    parser = argparse.ArgumentParser(
        prog="website/test",
        description="Sets up the project and runs every check, up to four at a time, also after one failed.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="checks:\n" + "\n".join(f"  {check.name:<10} {check.description} ({check.group})" for check in CHECKS),
    )
    names = [check.name for check in CHECKS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help="run this check; repeatable")
    parser.add_argument("--fast", action="store_true", help=f"skip checks that take minutes: {', '.join(SLOW)}")
    options = parser.parse_args(arguments)
    if options.only:
        return [check for check in CHECKS if check.name in options.only]
    return [check for check in CHECKS if check.group != ON_DEMAND and not (options.fast and check.name in SLOW)]


def run_checks(checks: Sequence[Check]) -> list[Result]:
    """Run all checks, also after a failure. If groups run in parallel, a check's output is shown whole when it ends."""
    groups = [group for name in PARALLEL if (group := [check for check in checks if check.group == name])]
    running: dict[str, float] = {}
    results: list[Result] = []
    output_lock = threading.Lock()

    def run_group(group: Sequence[Check]) -> None:
        for check in group:
            running[check.name] = time.monotonic()
            output: list[str] = []
            results.append(run_check(check, output.append))
            del running[check.name]
            with output_lock:
                show("".join(output))

    if len(groups) > 1:
        with ThreadPoolExecutor(len(groups)) as pool:
            futures = [pool.submit(run_group, group) for group in groups]
            while wait(futures, PROGRESS_INTERVAL_SECONDS).not_done:
                names = ", ".join(f"{name} ({time.monotonic() - at:.0f} s)" for name, at in sorted(running.items()))
                with output_lock:
                    show(f"   running: {names}\n")
            _ = [future.result() for future in futures]  # raises what a thread has raised
    results += [run_check(check, show) for check in checks if len(groups) < 2 or check.group not in PARALLEL]
    return sorted(results, key=lambda result: checks.index(result.check))


def run_check(check: Check, write: Write) -> Result:
    """Run one check, and its unsteady tests again. `write` receives each line of the output."""
    begin = time.monotonic()
    write(f"\n== {check.name}: {check.description}\n")
    try:
        environment = tool_environment() | check.prepare()
        passed, failed_tests = execute(check.command, check.folder, environment, write)
    except (UserFacingError, OSError) as error:
        write(f"{error}\n")
        return Result(check, time.monotonic() - begin, passed=False)
    files = sorted({found[0] for test in failed_tests if (found := re.search(r"[\w-]+\.test\.ts", test))})
    if not passed and check.retry and 0 < len(files) <= MAX_RETRIED_FILES:
        write(f"\n== {check.name}: failed tests once more, alone\n")
        passed, _ = execute([*check.command, *check.retry, *files], check.folder, environment, write)
    return Result(check, time.monotonic() - begin, passed, failed_tests)


def execute(
    command: Sequence[str | Path], folder: Path, environment: dict[str, str], write: Write
) -> tuple[bool, list[str]]:
    """Run a command. Return whether it passed, and the failed tests that its output names."""
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    process = subprocess.Popen(command, cwd=folder, env=environment, text=True, errors="replace", **pipes)
    lines: list[str] = []

    def read_output(output: IO[str]) -> None:
        with output:
            for line in output:
                write(line)
                lines.append(COLOR.sub("", line))

    reader = threading.Thread(target=read_output, args=(process.stdout,), daemon=True)
    reader.start()
    passed = process.wait() == 0
    reader.join(OUTPUT_GRACE_SECONDS)  # a program that the check has left behind may hold the pipe open
    return passed, find_failed_tests(lines)


def find_failed_tests(lines: Sequence[str]) -> list[str]:
    """Return the name of each failed test, with its error if that is known."""
    errors: dict[str, str] = {}
    unexplained: list[str] = []  # Vitest names all tests that failed with an error above it
    for line in lines:
        if found := FAILED_TEST.match(line):
            if found[1] and found[2] not in errors:
                unexplained.append(found[2])
            errors.setdefault(found[2], "")
        elif line.strip():
            errors |= dict.fromkeys(unexplained, f" - {line.strip()}")
            unexplained = []
    return [name + error for name, error in errors.items()]


def format_summary(results: Sequence[Result], seconds: float) -> str:
    """Return a table of the results, the failed tests, the command that repeats the failed checks, and the counts."""
    lines, tests = ["", f"== summary, {seconds:.0f} s in total"], []
    for check, check_seconds, passed, failed_tests in results:
        outcome = "FAILED" if not passed else "UNSURE" if failed_tests else "passed"
        lines.append(f"  {outcome} {check_seconds:6.1f} s  {check.name:<10} {check.description}")
        tests += [f"  {check.name}: {test}"[:MAX_LINE_CHARACTERS] for test in failed_tests[:MAX_FAILED_TESTS]]
        if (more := len(failed_tests) - MAX_FAILED_TESTS) > 0:
            tests.append(f"  {check.name}: {more} more")
    failed = [result.check.name for result in results if not result.passed]
    if failed:
        tests.append(f"To run the failed checks again: website/test{''.join(f' --only {name}' for name in failed)}")
    if any(result.passed and result.failed_tests for result in results):
        tests.append("UNSURE: the tests above failed, and passed when they ran once more. Find out why they failed.")
    return "\n".join([*lines, *tests, f"{len(results) - len(failed)} passed, {len(failed)} failed"])
