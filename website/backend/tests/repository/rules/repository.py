"""The repository as the rules see it: the files that git tracks or would add, and their texts."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, order=True)
class Finding:
    """A violation of a rule. `file` is relative to the root of the repository, and `line` starts at 1."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class Repository:
    """The files below `root` by their path relative to it, without files that git ignores."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> list[str]:
        """The paths of all files, sorted."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True).stdout
        return sorted({name for name in listing.split("\0") if name and (self.root / name).is_file()})

    @cached_property
    def texts(self) -> dict[str, str]:
        """The content of each file that is not binary."""
        contents = {name: (self.root / name).read_bytes() for name in self.files}
        return {name: content.decode() for name, content in contents.items() if b"\0" not in content}

    def texts_like(self, include: Iterable[str], exclude: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
        """Yield the path and content of each text file that matches a pattern of `include` and none of `exclude`."""
        include, exclude = tuple(include), tuple(exclude)
        for name, text in self.texts.items():
            if matches(name, include) and not matches(name, exclude):
                yield name, text


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a path matches one of the shell patterns. `*` also matches slashes."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def is_lock(name: str) -> bool:
    """Return whether a file is a lock file, which a package manager writes."""
    return name.endswith((".lock", "package-lock.json"))
