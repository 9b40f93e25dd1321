"""Cloud SQL by its instance's name: Google's connector asks for address and certificate, and speaks TLS to it.

An instance is an address like any other here: `postgresql+asyncpg://user@/database?cloud_sql=project:region:name`.
"""

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from skill_arcade.errors import SettingsError
from skill_arcade.settings import Settings

URL_MARKER = "cloud_sql"


def cloud_url(settings: Settings) -> URL:
    """Address of the database that the GCP_SQL settings name.

    Raises:
        SettingsError: one of them is missing.
    """
    asked = {"GCP_SQL_NAME": settings.gcp_sql_name, "GCP_SQL_USER": settings.gcp_sql_user}
    if not settings.gcp_sql_iam_auth:
        asked["GCP_SQL_PASSWORD"] = settings.gcp_sql_password
    if missing := [name for name, value in asked.items() if not value]:
        or_iam = ", or GCP_SQL_IAM_AUTH for no password" if "GCP_SQL_PASSWORD" in missing else ""
        raise SettingsError(f"GCP_SQL_CONNECTION_NAME needs {' and '.join(missing)} too{or_iam}.")
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
    """The instance's name, when that is what an address is."""
    found = url.query.get(URL_MARKER)
    return found if isinstance(found, str) else None


def cloud_engine(url: URL, **options: Any) -> AsyncEngine:
    """Make a pool of connections to an instance. None is opened yet; disposing of it closes the connector too."""
    # Here, since the connector takes a second and 50 MB, which another Postgres and a game need not pay.
    from skill_arcade.storage.database.cloud_sql_connector import CloudSqlConnector  # noqa: PLC0415

    way = CloudSqlConnector(url)
    engine = create_async_engine(url, async_creator=way.connect, **options)
    event.listen(engine.sync_engine, "engine_disposed", lambda _: await_only(way.close()))
    return engine
