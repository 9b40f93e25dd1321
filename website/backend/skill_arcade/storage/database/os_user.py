"""Who runs the embedded Postgres: it refuses to be root, so root lends it an account of its own."""

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
    """User and group that the database's processes run as."""

    uid: int
    gid: int

    @property
    def process(self) -> dict[str, Any]:
        """Arguments of `subprocess.run` that start a process as this account; none when it is us already."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own_folder(self, folder: Path) -> None:
        """Make `folder` this account's own and nobody else's, and let the account walk to it."""
        folder.chmod(stat.S_IRWXU)
        if self.uid != os.geteuid():
            os.chown(folder, self.uid, self.gid)
            self.make_reachable(folder)

    def make_reachable(self, target: Path) -> None:
        """Let this account pass through the folders above `target`: pass, not list."""
        for folder in target.resolve().parents:
            found = folder.stat()
            if found.st_uid != self.uid and not found.st_mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)

    def make_readable(self, root: Path) -> None:
        """Let this account read `root` and all in it, for a checkout whose umask kept it to root."""
        self.make_reachable(root)
        if root.stat().st_mode & stat.S_IROTH:
            return
        for path in [*root.rglob("*"), root]:
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def find_os_user(data: Path) -> OsUser:
    """Say who runs the database of a data folder: we ourselves.

    For root it is who owns the folder, or, while there is none, the system user `pgserver`, made when missing.
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
        # Of two processes that do this at once, one finds the name taken: then it is there.
        subprocess.run(command, check=False, capture_output=True)
    account = _find_dedicated_user()
    if account is None:
        raise NotReady(
            f"Postgres does not run as root, and there is no system user {NAME!r} to lend it: run "
            f"`{' '.join(command)}`, start the arcade as another user, or set DATABASE_URL."
        )
    return account
