"""The key that signs tokens and makes user ids: given by a setting, or made once and kept in the home folder."""

import contextlib
import os
import secrets
from pathlib import Path

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings

LENGTH = 32


def find_secret(settings: Settings) -> str:
    """Return AUTH_SECRET, or the key kept at `auth-secret` in the home folder, which is made when absent.

    Raises:
        SettingsError: the key must be given here and is not, or the kept one is damaged or out of reach.
    """
    if settings.auth_secret is not None:
        return settings.auth_secret
    if settings.gcp_sql_connection_name is not None:
        raise SettingsError(
            "AUTH_SECRET is not set. With Cloud SQL every server must have the same key, kept outside of them: "
            "set it to 32 or more random characters."
        )
    return _kept_secret(settings.skill_arcade_home / "auth-secret")


def _kept_secret(path: Path) -> str:
    try:
        if not path.exists():
            _make_secret(path)
        path.chmod(0o600)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The key at {path} can't be read or made: {error}. Set AUTH_SECRET.") from error
    if len(secret) < LENGTH:
        raise SettingsError(
            f"The key at {path} is shorter than {LENGTH} characters: restore it, or set AUTH_SECRET. "
            "With another key everyone signs in anew."
        )
    return secret


def _make_secret(path: Path) -> None:
    """Write a new key whole, then give it its name. Of two processes at once one wins, and both read the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, f"{secrets.token_urlsafe(LENGTH)}\n".encode())
        os.fsync(file)
        # Unlike rename, link never replaces a key that another process has just made.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.close(file)
        draft.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
