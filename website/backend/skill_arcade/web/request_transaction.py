"""Database transactions of requests: internal errors are logged, and the client gets a general 503."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import NotReady
from skill_arcade.storage.database.engine import transaction

log = logging.getLogger(__name__)
DATABASE_UNAVAILABLE = "The database is unavailable. Try again in a moment."


@asynccontextmanager
async def request_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction for one request.

    Raises:
        NotReady: the database is unavailable, or the connection was lost.
    """
    try:
        async with transaction(engine) as connection:
            yield connection
    except NotReady as error:
        log.warning("cannot connect to the database: %s", error)
        raise NotReady(DATABASE_UNAVAILABLE) from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        log.warning("connection to the database lost: %s", error.orig)
        raise NotReady(DATABASE_UNAVAILABLE) from error
