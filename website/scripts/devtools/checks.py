"""Every check of the project, in the order in which a mistake shows soonest."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools.backend import PYTHON
from devtools.chromium import find_chromium
from devtools.cloud import install_firebase_tools
from devtools.paths import BACKEND, DEPLOY, FRONTEND, SCRIPTS, WEBSITE


@dataclass(frozen=True)
class Check:
    """One command whose exit code 0 means "passed".

    `prepare` gives variables that the command needs; it may install something, and may raise `UserFacingError`.
    `on_demand` runs only when it is named by --only: it takes long and needs clients that few machines have.
    Checks of different groups run side by side; those of "last" follow build_lock, because they watch a clock.
    """

    name: str
    description: str
    command: Sequence[str | Path]
    folder: Path
    group: str
    slow: bool = False
    on_demand: bool = False
    prepare: Callable[[], dict[str, str]] = dict


def venv_program(name: str) -> Path:
    """A program of the virtual environment."""
    return PYTHON.with_name(name)


def frontend_check(name: str, description: str, script: str) -> Check:
    """A check that is a script of the front end's package.json."""
    return Check(name, description, ["npm", "run", "--silent", script], FRONTEND, "page")


def backend_check(name: str, description: str, *command: str | Path) -> Check:
    """A check that is a command in the back end's folder."""
    return Check(name, description, command, BACKEND, "python")


def backend_test_paths(*names: str) -> tuple[str, ...]:
    """Folders of tests of the back end."""
    return tuple(f"tests/{name}" for name in names)


RUFF_ARGUMENTS = ("--config", "pyproject.toml", ".", SCRIPTS, FRONTEND / "e2e", DEPLOY)

PYTEST = (venv_program("pytest"), "-q")
DATA_TESTS = backend_test_paths("certify", "cli", "dataset", "environments", "export", "frames", "games")
DATA_TESTS += backend_test_paths("recording", "research", "storage")
PLAY_TESTS = backend_test_paths("benchmarks", "delivery", "lockstep", "play")
"""These wait for games more than they compute. Last in their group: the machine is quieter then."""
IGNORE_FLAGS = tuple(f"--ignore={folder}" for folder in (*backend_test_paths("devtools"), *DATA_TESTS, *PLAY_TESTS))
"""Whatever is in neither list is run with the server's tests, so that none is forgotten."""

CHECKS: tuple[Check, ...] = (
    backend_check("ruff", "Python: lint", venv_program("ruff"), "check", *RUFF_ARGUMENTS),
    backend_check("format", "Python: format", venv_program("ruff"), "format", "--check", *RUFF_ARGUMENTS),
    backend_check("mypy", "Python: types", venv_program("mypy")),
    backend_check("imports", "Python: imports point down", venv_program("lint-imports"), "--no-logo"),
    backend_check("rules", "rules of the devtools, locks, docs", venv_program("pytest"), "-q", "tests/devtools"),
    frontend_check("generated", "page: generated types are current", "generate:check"),
    frontend_check("tsc", "page: types", "types"),
    frontend_check("eslint", "page: lint", "lint"),
    frontend_check("prettier", "page: format", "format:check"),
    Check(
        "lockstep",
        "builds the emulator that runs in the page",
        [sys.executable, SCRIPTS, "lockstep"],
        WEBSITE,
        "page",
        slow=True,
    ),
    frontend_check("vitest", "page: unit tests", "test"),
    Check("build", "page: build", [sys.executable, SCRIPTS, "build"], FRONTEND, "page"),
    frontend_check("size", "page: size of the build", "size"),
    backend_check("backend", "Python: tests of the server", *PYTEST, *IGNORE_FLAGS),
    Check("deploy", "deploying: scripts, workflows, image", [venv_program("pytest"), "-q"], DEPLOY, "page"),
    Check("data", "Python: tests of games, records, data", [*PYTEST, *DATA_TESTS], BACKEND, "data"),
    Check("play", "Python: tests of play and delivery", [*PYTEST, *PLAY_TESTS], BACKEND, "data"),
    Check(
        "clients",
        "deploying by this machine's gcloud and firebase, if it has them",
        [venv_program("pytest"), "-q", "--clients=real"],
        DEPLOY,
        "last",
        on_demand=True,
    ),
    Check(
        "cloud",
        "page on Hosting, sign-in by Firebase's emulator",
        ["npm", "run", "--silent", "cloud"],
        FRONTEND,
        "last",
        on_demand=True,
        prepare=install_firebase_tools,
    ),
    Check(
        "browser",
        "plays in Chromium, reads the record back",
        ["npm", "run", "--silent", "e2e"],
        FRONTEND,
        "last",
        slow=True,
        prepare=lambda: {"CHROMIUM": find_chromium()},
    ),
)
