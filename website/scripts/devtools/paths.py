"""Paths inside the repository."""

import os
from pathlib import Path

from devtools.errors import UserFacingError

WEBSITE = Path(__file__).resolve().parents[2]
ROOT = WEBSITE.parent
SCRIPTS = WEBSITE / "scripts"
BACKEND = WEBSITE / "backend"
FRONTEND = WEBSITE / "frontend"
DEPLOY = WEBSITE / "deploy"
DOCS = WEBSITE / "docs"
STATE = WEBSITE / ".state"
"""Local state that git ignores: a private uv, the set-up lock, the lockstep build, log files."""
VENV = BACKEND / ".venv"


def check_writable(*folders: Path) -> None:
    """Create `folders` if they are missing. Raises `UserFacingError` for the first one that is not writable."""
    for folder in folders:
        probe = folder / f".writable-{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise UserFacingError(
                f"Cannot write to {folder} ({error.strerror}). "
                "Change its owner to your user (chown), or clone the repository into a folder that you own."
            ) from error


def check_own(*folders: Path) -> None:
    """Raise `UserFacingError` for the first folder that is a link: set-up would change what it leads to.

    In a second worktree that links to the environment of the first, it would empty `node_modules` there, and make the
    first one import the code of the second.
    """
    for folder in folders:
        if folder.is_symlink():
            raise UserFacingError(
                f"{folder} is a link to {folder.resolve()}, which another clone may use. Delete the link; set-up then "
                "installs the packages into a folder of this clone."
            )
