"""A question to the database on behalf of somebody outside: what is wrong inside is logged, and not told."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import NotReady
from skill_arcade.storage.database.engine import transaction

log = logging.getLogger(__name__)
DATABASE_UNAVAILABLE = "The database does not answer at the moment; try again soon."


@asynccontextmanager
async def request_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Open a transaction for one request; NotReady when the database does not answer, or stops to."""
    try:
        async with transaction(engine) as connection:
            yield connection
    except NotReady as error:
        log.warning("%s", error)
        raise NotReady(DATABASE_UNAVAILABLE) from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        log.warning("the connection to the database broke off: %s", error.orig)
        raise NotReady(DATABASE_UNAVAILABLE) from error
