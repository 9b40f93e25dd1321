"""Selects the operating system user that runs the embedded Postgres. Postgres refuses to run as root."""

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skill_arcade.errors import NotReady, SettingsError

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
        """Make this user the owner of `folder`, with access for nobody else.

        Traversal (not listing) of its parent, SKILL_ARCADE_HOME, is granted; folders above are not changed.

        Raises:
            SettingsError: this user cannot reach the folder.
        """
        folder.chmod(stat.S_IRWXU)
        if self.uid != os.geteuid():
            os.chown(folder, self.uid, self.gid)
            self.check_reachable(folder.parent)
            if (home := folder.parent.stat()).st_uid != self.uid and not home.st_mode & stat.S_IXOTH:
                folder.parent.chmod(stat.S_IMODE(home.st_mode) | stat.S_IXOTH)

    def check_reachable(self, target: Path) -> None:
        """Check that this user may traverse all parent folders of `target`. Their permissions are not changed.

        Raises:
            SettingsError: a parent folder is closed; the message says which and what to do.
        """
        for folder in target.resolve().parents:
            found = folder.stat()
            bit = (
                stat.S_IXUSR if found.st_uid == self.uid else stat.S_IXGRP if found.st_gid == self.gid else stat.S_IXOTH
            )
            if not found.st_mode & bit:
                raise SettingsError(
                    f"Postgres does not run as root, and its user {self.uid} cannot reach {target} because {folder} is "
                    f"closed to other users: set SKILL_ARCADE_HOME to a folder outside of it, start the server as "
                    f"another user, or run `chmod o+x {folder}`."
                )

    def make_readable(self, root: Path) -> None:
        """Make `root` and everything below it readable, for a checkout whose umask allows only root to read it."""
        self.check_reachable(root)
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
