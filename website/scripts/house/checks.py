"""Every check of the project, in the order in which a mistake shows soonest."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from house.backend import PYTHON
from house.chromium import find_chromium
from house.cloud import prepare_cloud
from house.paths import BACKEND, DEPLOY, FRONTEND, SCRIPTS, WEBSITE


@dataclass(frozen=True)
class Check:
    """One command whose exit code 0 means "passed".

    `prepare` gives variables that the command needs; it may install something, and may raise `Trouble`.
    `asked` runs only when it is named by --only: it takes long and needs clients that few machines have.
    Checks of different lanes run side by side; those of "last" follow alone, because they watch a clock.
    """

    name: str
    what: str
    command: Sequence[str | Path]
    folder: Path
    lane: str
    slow: bool = False
    asked: bool = False
    prepare: Callable[[], dict[str, str]] = dict


def tool(name: str) -> Path:
    """A program of the virtual environment."""
    return PYTHON.with_name(name)


def page(name: str, what: str, script: str) -> Check:
    """A check that is a script of the front end's package.json."""
    return Check(name, what, ["npm", "run", "--silent", script], FRONTEND, "page")


def backend(name: str, what: str, *command: str | Path) -> Check:
    """A check that is a command in the back end's folder."""
    return Check(name, what, command, BACKEND, "python")


def rooms(*names: str) -> tuple[str, ...]:
    """Folders of tests of the back end."""
    return tuple(f"tests/{name}" for name in names)


RUFF = ("--config", "pyproject.toml", ".", SCRIPTS, FRONTEND / "e2e", DEPLOY)

PYTEST = (tool("pytest"), "-q")
DATA = rooms("certify", "cli", "dataset", "environments", "export", "frames", "games")
DATA += rooms("recording", "research", "storage")
PLAY = rooms("benchmarks", "delivery", "lockstep", "play")
"""These wait for games more than they compute. Last in their lane: the machine is quieter then."""
IGNORED = tuple(f"--ignore={folder}" for folder in (*rooms("house"), *DATA, *PLAY))
"""Whatever is in neither list is run with the server's tests, so that none is forgotten."""

CHECKS: tuple[Check, ...] = (
    backend("ruff", "Python: lint", tool("ruff"), "check", *RUFF),
    backend("format", "Python: format", tool("ruff"), "format", "--check", *RUFF),
    backend("mypy", "Python: types", tool("mypy")),
    backend("imports", "Python: imports point down", tool("lint-imports"), "--no-logo"),
    backend("rules", "rules of the house, locks, docs", tool("pytest"), "-q", "tests/house"),
    page("generated", "page: generated types are current", "generate:check"),
    page("tsc", "page: types", "types"),
    page("eslint", "page: lint", "lint"),
    page("prettier", "page: format", "format:check"),
    Check(
        "lockstep",
        "builds the emulator that runs in the page",
        [sys.executable, SCRIPTS, "lockstep"],
        WEBSITE,
        "page",
        slow=True,
    ),
    page("vitest", "page: unit tests", "test"),
    Check("build", "page: build", [sys.executable, SCRIPTS, "build"], FRONTEND, "page"),
    page("size", "page: size of the build", "size"),
    backend("backend", "Python: tests of the server", *PYTEST, *IGNORED),
    Check("deploy", "deploying: scripts, workflows, image", [tool("pytest"), "-q"], DEPLOY, "page"),
    Check("data", "Python: tests of games, records, data", [*PYTEST, *DATA], BACKEND, "data"),
    Check("play", "Python: tests of play and delivery", [*PYTEST, *PLAY], BACKEND, "data"),
    Check(
        "clients",
        "deploying by this machine's gcloud and firebase, if it has them",
        [tool("pytest"), "-q", "--clients=real"],
        DEPLOY,
        "last",
        asked=True,
    ),
    Check(
        "cloud",
        "page on Hosting, sign-in by Firebase's emulator",
        ["npm", "run", "--silent", "cloud"],
        FRONTEND,
        "last",
        asked=True,
        prepare=prepare_cloud,
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
