"""Rules about which files exist."""

import os
from collections.abc import Iterator

from tests.repository.rules.repository import Finding, Repository

TOP_LEVEL_NAMES = {"website", ".github", ".ci", "README.md", ".gitignore", "LICENSE"}
ENTRY_POINTS = ("website/play", "website/test", "website/backend/lock", "website/lockstep/build", ".ci/run")


def check_top_level(repository: Repository) -> Iterator[Finding]:
    """The top level of the repository holds only the agreed names."""
    for file in repository.files:
        name = file.partition("/")[0]
        if name not in TOP_LEVEL_NAMES:
            yield Finding(file, 1, f"{name} is not allowed at the top level: move it below website/")


def check_uv_lock(repository: Repository) -> Iterator[Finding]:
    """No uv.lock is in git, because uv writes the address of the package index into it."""
    for file in repository.files:
        if file.rpartition("/")[2] == "uv.lock":
            yield Finding(file, 1, "uv.lock contains the address of a package index: remove it from git")


def check_entry_points(repository: Repository) -> Iterator[Finding]:
    """Every entry point exists and is executable."""
    for file in ENTRY_POINTS:
        if not os.access(repository.root / file, os.X_OK):
            yield Finding(file, 1, "this entry point is missing or not executable: chmod +x it")
