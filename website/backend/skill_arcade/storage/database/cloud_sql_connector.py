"""Opens connections to a Cloud SQL instance through Google's connector.

The connector refreshes its access token synchronously in the event loop, which blocks the loop for one round trip.
This module therefore refreshes the token in a thread beforehand. With IAM authentication the connector fetches a
second token for the login once an hour; that request cannot be moved to a thread.
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
from skill_arcade.storage.database.cloud_sql import SERVER_SETTINGS, cloud_name

SCOPE = "https://www.googleapis.com/auth/sqlservice.admin"
CONNECT_TIMEOUT_SECONDS = 10
"""Timeout for opening a connection to Cloud SQL."""
ADVICE = {
    403: "Grant this server's account the role Cloud SQL Client.",
    404: "Check GCP_SQL_CONNECTION_NAME.",
}


class CloudSqlConnector:
    """Connector for one instance, used from one event loop at a time."""

    def __init__(self, url: URL) -> None:
        self._url, self._name = url, f"{cloud_name(url)}"
        self._connector: Connector | None = None
        self._credentials: Any = None
        self._lock = asyncio.Lock()

    async def connect(self) -> Any:
        """Open an asyncpg connection.

        Raises:
            NotReady: the instance does not exist or this account may not use it.
            OSError, asyncpg.PostgresError: the instance does not respond, or it rejects the user.
        """
        try:
            async with self._lock:
                connector = await self._prepare()
            return await connector.connect_async(self._name, "asyncpg", **self._arguments())
        except aiohttp.ClientResponseError as error:
            raise self._explain(f"{error.message} {ADVICE.get(error.status, '')}".rstrip()) from error
        except (aiohttp.ClientError, GoogleAuthError, CloudSQLConnectionError, CloudSQLIPTypeError) as error:
            raise self._explain(f"{error}") from error
        except ValueError as error:  # the region is not the one of the instance
            raise self._explain(f"{error}") from error

    async def close(self) -> None:
        """Close the connector. The next connection creates a new one."""
        connector, self._connector = self._connector, None
        if connector is not None:
            await connector.close_async()

    async def _prepare(self) -> Connector:
        """Return the connector, with an access token that is valid for at least some minutes."""
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
                # The certificate is refreshed on connect. A background task would not run on a paused CPU.
                refresh_strategy=RefreshStrategy.LAZY,
            )
        return self._connector

    def _arguments(self) -> dict[str, Any]:
        login = {"user": self._url.username, "password": self._url.password, "db": self._url.database}
        return {**login, "server_settings": SERVER_SETTINGS}

    def _explain(self, reason: str) -> NotReady:
        return NotReady(f"Cannot connect to Cloud SQL {self._name}: {reason}")
