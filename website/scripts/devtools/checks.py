"""The checks that `website/test` runs, fastest feedback first."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.backend import PYTHON
from devtools.chromium import find_chromium
from devtools.cloud import install_firebase_tools
from devtools.paths import BACKEND, DEPLOY, FRONTEND, SCRIPTS, WEBSITE

SERIAL_GROUP = "serial"
MAX_RETRIED_FILES = 2
"""Files of browser tests that may be unsteady. If more fail, the change is at fault."""
READERS_CACHE = Path.home() / ".cache" / "skill-arcade-readers"
"""Environments of the check `readers`, several GB. They are kept, because they take minutes to install."""


@dataclass(frozen=True)
class Check:
    """A command that passes if its exit code is 0.

    Checks of different groups run in parallel, checks of one group in sequence. Checks of the serial group measure
    time, so they run one by one after all others.

    Args:
        slow: `website/test --fast` skips the check.
        on_demand: The check runs only if it is selected with --only, because it takes long and needs programs that few
            machines have.
        prepare: Installs what the command needs and returns variables for its environment. May raise
            `UserFacingError`, which fails the check.
        retry: Returns the command that runs these failed tests once more, or None if they are too many to be
            unsteady. Only for tests that play in real time beside others (decisions/0057).
    """

    name: str
    description: str
    command: Sequence[str | Path]
    folder: Path
    group: str
    slow: bool = False
    on_demand: bool = False
    prepare: Callable[[], dict[str, str]] = dict
    retry: Callable[[Sequence[str]], Sequence[str | Path] | None] | None = None


def venv_program(name: str) -> Path:
    """Return the path of a program in the back end's virtual environment."""
    return PYTHON.with_name(name)


def frontend_check(name: str, description: str, script: str) -> Check:
    """Return a check that runs a script of the front end's package.json."""
    return Check(name, description, ["npm", "run", "--silent", script], FRONTEND, "frontend")


def backend_check(name: str, description: str, *command: str | Path) -> Check:
    """Return a check that runs a command in the back end's folder."""
    return Check(name, description, command, BACKEND, "backend")


def backend_test_paths(*names: str) -> tuple[str, ...]:
    """Return the paths of test folders, relative to the back end's folder.

    A name without a folder is left out. Its tests, wherever they are now, run in the check `backend`.
    """
    return tuple(f"tests/{name}" for name in names if (BACKEND / "tests" / name).is_dir())


def retry_browser_tests(failed_tests: Sequence[str]) -> Sequence[str | Path] | None:
    """Return the command that runs the files of these tests again, one after the other. None for many files."""
    files = sorted({found[0] for test in failed_tests if (found := re.search(r"[\w-]+\.test\.ts", test))})
    if not 0 < len(files) <= MAX_RETRIED_FILES:
        return None
    return ["npm", "run", "--silent", "e2e", "--", "--maxWorkers=1", *files]


RUFF_ARGUMENTS = ("--config", "pyproject.toml", ".", SCRIPTS, FRONTEND / "e2e", FRONTEND / "tests", DEPLOY)

PYTEST = (venv_program("pytest"), "-q")
REPOSITORY_TESTS = backend_test_paths("repository")
DEVTOOLS_TESTS = backend_test_paths("devtools")
DATA_TESTS = backend_test_paths("certify", "cli", "dataset", "environments", "export", "frames", "games")
DATA_TESTS += backend_test_paths("recording", "research", "storage")
PLAY_TESTS = (*backend_test_paths("lockstep", "play", "uploader"), "benchmarks/tests")
"""Tests that mostly wait for games. They run last in their group, when fewer other checks use the CPU."""
OTHER_TESTS = (
    "tests",
    *(f"--ignore={folder}" for folder in (*REPOSITORY_TESTS, *DEVTOOLS_TESTS, *DATA_TESTS, *PLAY_TESTS)),
)
"""Arguments that select every test folder that is in no list above, so that a new folder is never left out.

pytest does not ignore a folder that it would start with, so `benchmarks/tests` must not be such a folder.
"""

CHECKS: tuple[Check, ...] = (
    backend_check("ruff", "Python: lint", venv_program("ruff"), "check", *RUFF_ARGUMENTS),
    backend_check("format", "Python: format", venv_program("ruff"), "format", "--check", *RUFF_ARGUMENTS),
    backend_check("mypy", "Python: types", venv_program("mypy")),
    backend_check("imports", "Python: layers of imports", venv_program("lint-imports"), "--no-logo"),
    backend_check("repository", "rules about names, docs and locks, and their tests", *PYTEST, *REPOSITORY_TESTS),
    backend_check("rules", "Python: tests of the developer tools", *PYTEST, *DEVTOOLS_TESTS),
    frontend_check("generated", "page: generated types are current", "generate:check"),
    frontend_check("tsc", "page: types", "types"),
    frontend_check("eslint", "page: lint", "lint"),
    frontend_check("prettier", "page: format", "format:check"),
    Check(
        "lockstep",
        "builds the emulator that runs in the page",
        [sys.executable, SCRIPTS, "lockstep"],
        WEBSITE,
        "frontend",
        slow=True,
    ),
    frontend_check("vitest", "page: unit tests", "test"),
    Check("build", "page: build", [sys.executable, SCRIPTS, "build"], FRONTEND, "frontend"),
    frontend_check("size", "page: size of the build", "size"),
    backend_check("backend", "Python: tests of the server", *PYTEST, *OTHER_TESTS),
    Check("deploy", "deployment: scripts, workflows, image", [venv_program("pytest"), "-q"], DEPLOY, "frontend"),
    Check("data", "Python: tests of games, records, data", [*PYTEST, *DATA_TESTS], BACKEND, "data"),
    Check("play", "Python: tests of play and upload", [*PYTEST, *PLAY_TESTS], BACKEND, "data"),
    Check(
        "slow",
        "Python: tests that take minutes, such as playing every game",
        [*PYTEST, "-m", "slow"],
        BACKEND,
        SERIAL_GROUP,
        on_demand=True,
    ),
    Check(
        "readers",
        "exports in the libraries that they are for, each in its own environment",
        [PYTHON, "-m", "tests.readers", "--games", "representative", "--cache", READERS_CACHE],
        BACKEND,
        SERIAL_GROUP,
        on_demand=True,
        prepare=lambda: {"PYTHONPATH": f"{BACKEND}:{SCRIPTS}"},
    ),
    Check(
        "clients",
        "deployment with this machine's gcloud and firebase",
        [venv_program("pytest"), "-q", "--clients=real"],
        DEPLOY,
        SERIAL_GROUP,
        on_demand=True,
    ),
    Check(
        "cloud",
        "page on Firebase Hosting, sign-in with the Firebase emulator",
        ["npm", "run", "--silent", "cloud"],
        FRONTEND,
        SERIAL_GROUP,
        on_demand=True,
        prepare=install_firebase_tools,
    ),
    Check(
        "browser",
        "plays in Chromium and reads the recording back",
        ["npm", "run", "--silent", "e2e"],
        FRONTEND,
        SERIAL_GROUP,
        slow=True,
        prepare=lambda: {"CHROMIUM": find_chromium()},
        retry=retry_browser_tests,
    ),
)
