"""Rules about what no file may contain."""

import re
from collections.abc import Iterator

from tests.repository.rules.repository import Finding, Repository, is_lock

# The groups keep these lines from matching themselves.
REGISTRY = re.compile(r"registry\.(npm)js|files\.(python)hosted|(py)pi\.org|(deb)\.debian|file:///[a-z]")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(home|opt|root|tmp|work|Users)/[A-Za-z.]")
UNFINISHED = re.compile(r"\b(TO)(DO)\b|\b(FIX)(ME)\b")


def check_registries(repository: Repository) -> Iterator[Finding]:
    """No file names a package registry, because the registry differs between machines."""
    yield from _search(repository, REGISTRY, "names a package registry: leave the choice to the machine", locks=True)


def check_machine_paths(repository: Repository) -> Iterator[Finding]:
    """No file names an absolute path that exists on one machine only."""
    yield from _search(repository, MACHINE_PATH, "names a path of one machine: use a relative path or a variable")


def check_unfinished(repository: Repository) -> Iterator[Finding]:
    """No file contains a marker for unfinished work."""
    yield from _search(repository, UNFINISHED, "marks unfinished work: finish it or open an issue")


def _search(
    repository: Repository, pattern: re.Pattern[str], message: str, *, locks: bool = False
) -> Iterator[Finding]:
    """Yield a finding for every line that matches. Lock files are searched only if `locks` is set."""
    for file, text in repository.texts.items():
        if is_lock(file) and not locks:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if found := pattern.search(line):
                yield Finding(file, number, f"{found[0]!r} {message}")
