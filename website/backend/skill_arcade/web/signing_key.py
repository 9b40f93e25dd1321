"""The key that signs tokens and derives user ids: given by AUTH_SECRET, or generated once in the home folder."""

import contextlib
import os
import secrets
from pathlib import Path

from skill_arcade.durable_files import fsync_folder
from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings

MIN_SECRET_LENGTH = 32
MAX_KEY_FILE_BYTES = 4096
"""Bytes of the key's file that are read."""


def find_secret(settings: Settings) -> str:
    """Return AUTH_SECRET, or the key in the file `auth-secret` of the home folder.

    The file is created if it does not exist.

    Raises:
        SettingsError: AUTH_SECRET is required but not set, or the file is damaged or inaccessible.
    """
    if settings.auth_secret is not None:
        return settings.auth_secret
    if settings.gcp_sql_connection_name is not None:
        raise SettingsError(
            "AUTH_SECRET is not set. With Cloud SQL all servers must share the same key. "
            "Set it to 32 or more random characters."
        )
    return _read_or_create_secret(settings.skill_arcade_home / "auth-secret")


def _read_or_create_secret(path: Path) -> str:
    try:
        if not path.exists():
            _create_secret(path)
        if not path.is_file():
            raise SettingsError(f"The key {path} is not a file: move it away, or set AUTH_SECRET.")
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        with path.open("rb") as file:
            secret = file.read(MAX_KEY_FILE_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"Cannot read or create the key at {path}: {error}. Set AUTH_SECRET.") from error
    if not secret.isprintable():
        raise SettingsError(f"The key at {path} is damaged. Restore it, or set AUTH_SECRET.")
    if len(secret) < MIN_SECRET_LENGTH:
        raise SettingsError(
            f"The key at {path} is shorter than {MIN_SECRET_LENGTH} characters. Restore it, or set AUTH_SECRET. "
            "With a different key all users must sign in again."
        )
    return secret


def _create_secret(path: Path) -> None:
    """Write a new key to a temporary file, then link it.

    Of two processes at once one wins, and both read the same key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(file, f"{secrets.token_urlsafe(MIN_SECRET_LENGTH)}\n".encode())
        os.fsync(file)
        # Unlike rename, link does not replace a key that another process has just created.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.close(file)
        temporary.unlink()
    fsync_folder(path.parent)
