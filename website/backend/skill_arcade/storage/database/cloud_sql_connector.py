"""Connections to a Cloud SQL instance, by Google's connector.

The connector itself refreshes its token in the event loop, blocking all that runs there for a round trip; here a thread
does it first. (With IAM it fetches a second token for the login itself, once an hour, which can't be taken from it.)
"""

import asyncio
from typing import Any

import aiohttp
import google.auth
from google.auth.credentials import TokenState
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.cloud.sql.connector import Connector, RefreshStrategy
from google.cloud.sql.connector.exceptions import CloudSQLConnectionError, CloudSQLIPTypeError
from sqlalchemy import URL

from skill_arcade.errors import NotReady
from skill_arcade.storage.database.cloud_sql import cloud_name

SCOPE = "https://www.googleapis.com/auth/sqlservice.admin"
CONNECT_TIMEOUT_SECONDS = 10
"""Timeout of a new connection to Cloud SQL."""
ADVICE = {
    403: "Grant this server's account the role Cloud SQL Client.",
    404: "Does GCP_SQL_CONNECTION_NAME name it right?",
}


class CloudSqlConnector:
    """The way to one instance, from one event loop at a time."""

    def __init__(self, url: URL) -> None:
        self._url, self._name = url, f"{cloud_name(url)}"
        self._connector: Connector | None = None
        self._credentials: Any = None
        self._alone = asyncio.Lock()

    async def connect(self) -> Any:
        """Open a connection of asyncpg's.

        Raises:
            NotReady: the instance can't be found or may not be used.
            OSError, asyncpg.PostgresError: it does not answer, or refuses the user.
        """
        try:
            async with self._alone:
                connector = await self._prepare()
            return await connector.connect_async(self._name, "asyncpg", **self._arguments())
        except aiohttp.ClientResponseError as error:
            raise self._explain(f"{error.message} {ADVICE.get(error.status, '')}".rstrip()) from error
        except (aiohttp.ClientError, GoogleAuthError, CloudSQLConnectionError, CloudSQLIPTypeError) as error:
            raise self._explain(f"{error}") from error
        except ValueError as error:  # of a region that is not the instance's
            raise self._explain(f"{error}") from error

    async def close(self) -> None:
        """Close what the connector keeps open. A later connection opens it anew."""
        connector, self._connector = self._connector, None
        if connector is not None:
            await connector.close_async()

    async def _prepare(self) -> Connector:
        """The connector, with credentials that hold for some minutes more."""
        if self._credentials is None:
            self._credentials, _ = await asyncio.to_thread(google.auth.default, scopes=[SCOPE])
        if self._credentials.token_state is not TokenState.FRESH:
            await asyncio.to_thread(self._credentials.refresh, Request())
        if self._connector is None:
            self._connector = Connector(
                ip_type=str(self._url.query["address"]),
                enable_iam_auth=self._url.password is None,
                timeout=CONNECT_TIMEOUT_SECONDS,
                credentials=self._credentials,
                loop=asyncio.get_running_loop(),
                sqladmin_api_endpoint=str(self._url.query["admin"]) if "admin" in self._url.query else None,
                # Asks when a connection is opened and the certificate ends soon: no task that a paused CPU misses.
                refresh_strategy=RefreshStrategy.LAZY,
            )
        return self._connector

    def _arguments(self) -> dict[str, Any]:
        login = {"user": self._url.username, "password": self._url.password, "db": self._url.database}
        return {**login, "server_settings": {"application_name": "skill-arcade"}}

    def _explain(self, reason: str) -> NotReady:
        return NotReady(f"Cloud SQL {self._name} can't be used: {reason}")
