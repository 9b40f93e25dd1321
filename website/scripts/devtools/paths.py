"""Where things are in the repository."""

import os
from pathlib import Path

from devtools.errors import UserFacingError

WEBSITE = Path(__file__).resolve().parents[2]
ROOT = WEBSITE.parent
SCRIPTS = WEBSITE / "scripts"
BACKEND = WEBSITE / "backend"
FRONTEND = WEBSITE / "frontend"
DEPLOY = WEBSITE / "deploy"
STATE = WEBSITE / ".state"
"""Ignored by git: our own uv, stamps' lock, logs."""
VENV = BACKEND / ".venv"


def check_writable(*folders: Path) -> None:
    """Raise `UserFacingError` for the first folder that cannot be made or written."""
    for folder in folders:
        probe = folder / f".writable-{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise UserFacingError(
                f"{folder} cannot be written ({error.strerror}): "
                "make it yours (chown), or clone into a folder of your own."
            ) from error
