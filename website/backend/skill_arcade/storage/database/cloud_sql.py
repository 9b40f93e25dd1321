"""Connects to Cloud SQL by instance name. Google's connector resolves the address and sets up mutual TLS.

The URL of an instance is `postgresql+asyncpg://user@/database?cloud_sql=project:region:name`.
"""

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings

URL_MARKER = "cloud_sql"
SERVER_SETTINGS = {
    "application_name": "skill-arcade",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
"""Of every connection of this program. The limits of a database are for researchers (`grants.py`), not for exports."""


def cloud_url(settings: Settings) -> URL:
    """Return the URL of the database that the GCP_SQL settings select.

    Raises:
        SettingsError: a required setting is missing.
    """
    required = {"GCP_SQL_NAME": settings.gcp_sql_name, "GCP_SQL_USER": settings.gcp_sql_user}
    if not settings.gcp_sql_iam_auth:
        required["GCP_SQL_PASSWORD"] = settings.gcp_sql_password
    if missing := [name for name, value in required.items() if not value]:
        iam_hint = ", or set GCP_SQL_IAM_AUTH to log in without a password" if "GCP_SQL_PASSWORD" in missing else ""
        raise SettingsError(f"GCP_SQL_CONNECTION_NAME also needs {' and '.join(missing)}{iam_hint}.")
    query = {URL_MARKER: f"{settings.gcp_sql_connection_name}", "address": settings.gcp_sql_ip_type}
    if settings.gcp_sql_admin_endpoint is not None:
        query["admin"] = settings.gcp_sql_admin_endpoint
    return URL.create(
        "postgresql+asyncpg",
        username=settings.gcp_sql_user,
        password=None if settings.gcp_sql_iam_auth else settings.gcp_sql_password,
        database=settings.gcp_sql_name,
        query=query,
    )


def cloud_name(url: URL) -> str | None:
    """Return the instance name in a Cloud SQL URL, or None if the URL is of another kind."""
    name = url.query.get(URL_MARKER)
    return name if isinstance(name, str) else None


def cloud_engine(url: URL, **options: Any) -> AsyncEngine:
    """Create an engine for an instance, without opening a connection. Disposing of it closes the connector too."""
    # Imported only if needed: the connector takes 1 s to import and 50 MB of memory.
    from skill_arcade.storage.database.cloud_sql_connector import CloudSqlConnector  # noqa: PLC0415

    connector = CloudSqlConnector(url)
    engine = create_async_engine(url, async_creator=connector.connect, **options)
    event.listen(engine.sync_engine, "engine_disposed", lambda _: await_only(connector.close()))
    return engine
