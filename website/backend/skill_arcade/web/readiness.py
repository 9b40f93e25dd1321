"""Whether new games can be played and kept: each part is asked, with a limit to its time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from sqlalchemy import select

from skill_arcade.errors import NotReady
from skill_arcade.web.models import ComponentStatus
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState

log = logging.getLogger(__name__)
CHECK_TIMEOUT_SECONDS = 3.0

Name = Literal["database", "objects", "journal"]
MESSAGES: dict[Name, str] = {
    "database": "The database does not answer.",
    "objects": "The object store can't be written.",
    "journal": "The journal has no room, can't be written, or can't be delivered.",
}


async def check_components(state: AppState) -> list[ComponentStatus]:
    """Ask every part at once. What is wrong inside is logged; the answer, open to all, names the part only."""
    checks: dict[Name, Callable[[AppState], Awaitable[None]]] = {
        "database": _check_database,
        "objects": _check_objects,
        "journal": _check_journal,
    }
    return await asyncio.gather(*(_check_component(name, check(state)) for name, check in checks.items()))


async def _check_component(name: Name, check: Awaitable[None]) -> ComponentStatus:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_SECONDS):
            await check
    except NotReady as error:
        log.warning("not ready: %s", error)
    except TimeoutError:
        log.warning("not ready: %s gave no answer in %.0f s", name, CHECK_TIMEOUT_SECONDS)
    else:
        return ComponentStatus(name=name, ready=True, message="ready")
    return ComponentStatus(name=name, ready=False, message=MESSAGES[name])


async def _check_database(state: AppState) -> None:
    async with request_transaction(state.engine) as connection:
        await connection.execute(select(1))


async def _check_objects(state: AppState) -> None:
    await state.objects.ready()


async def _check_journal(state: AppState) -> None:
    state.sessions.capacity.check()
