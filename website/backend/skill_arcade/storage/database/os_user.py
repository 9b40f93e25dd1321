"""Selects the operating system user that runs the embedded Postgres. Postgres refuses to run as root."""

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_arcade.errors import NotReady

NAME = "pgserver"


@dataclass(frozen=True, slots=True)
class OsUser:
    """User and group of the database processes."""

    uid: int
    gid: int

    @property
    def process(self) -> dict[str, Any]:
        """Arguments of `subprocess.run` that start a process as this user; empty if it is the current user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own_folder(self, folder: Path) -> None:
        """Make this user the owner of `folder`, with access for nobody else, and make the folder reachable."""
        folder.chmod(stat.S_IRWXU)
        if self.uid != os.geteuid():
            os.chown(folder, self.uid, self.gid)
            self.make_reachable(folder)

    def make_reachable(self, target: Path) -> None:
        """Grant traversal (not listing) of all parent folders of `target`."""
        for folder in target.resolve().parents:
            found = folder.stat()
            if found.st_uid != self.uid and not found.st_mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)

    def make_readable(self, root: Path) -> None:
        """Make `root` and everything below it readable, for a checkout whose umask allows only root to read it."""
        self.make_reachable(root)
        if root.stat().st_mode & stat.S_IROTH:
            return
        for path in [*root.rglob("*"), root]:
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def find_os_user(data: Path) -> OsUser:
    """Return the user that runs the database of a data folder, which is the current user unless that is root.

    For root it is the owner of the folder or, if the folder does not exist or belongs to root, the system user
    `pgserver`, which is created if it is missing.
    """
    if os.geteuid() != 0:
        return OsUser(os.geteuid(), os.getegid())
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return OsUser(owner.st_uid, owner.st_gid)
    return _find_dedicated_user() or _create_dedicated_user()


def _find_dedicated_user() -> OsUser | None:
    import pwd  # noqa: PLC0415  (not on Windows)

    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        return None
    return OsUser(entry.pw_uid, entry.pw_gid)


def _create_dedicated_user() -> OsUser:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", NAME]
    if shutil.which("useradd"):
        # If two processes do this at once, one of them fails because the user exists, which is fine.
        subprocess.run(command, check=False, capture_output=True)
    account = _find_dedicated_user()
    if account is None:
        raise NotReady(
            f"Postgres does not run as root, and the system user {NAME!r} does not exist: run "
            f"`{' '.join(command)}`, start the server as another user, or set DATABASE_URL."
        )
    return account
