"""Fixtures for the rules of the repository and for their tests."""

import subprocess
from pathlib import Path

import pytest

from tests.repository.rules.repository import Repository


class RepositoryFolder:
    """A git repository in a temporary folder, to plant faults in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        subprocess.run(["git", "init", "--quiet", "--template=", root], check=True)

    def write(self, name: str, text: str = "", *, executable: bool = False) -> None:
        """Write a file of the repository."""
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if executable else 0o644)

    def read(self) -> Repository:
        """Return the repository as the rules see it."""
        return Repository(self.root)


@pytest.fixture
def repository_folder(tmp_path: Path) -> RepositoryFolder:
    """An empty git repository."""
    return RepositoryFolder(tmp_path)
