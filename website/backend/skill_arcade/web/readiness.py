"""Readiness checks: whether new games can be played and recorded. Each component is checked with a timeout."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal

from sqlalchemy import select

from skill_arcade.errors import NotReady
from skill_arcade.web.models.operations import ComponentStatus
from skill_arcade.web.request_transaction import request_transaction
from skill_arcade.web.state import AppState

log = logging.getLogger(__name__)
CHECK_TIMEOUT_SECONDS = 3.0

Name = Literal["database", "objects", "journal"]
MESSAGES: dict[Name, str] = {
    "database": "The database is unavailable.",
    "objects": "The object store is not writable.",
    "journal": "The journal disk is full or not writable, or uploads have stalled.",
}


async def check_components(state: AppState) -> list[ComponentStatus]:
    """Check all components concurrently. Details are logged; the public result contains only the component's status."""
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
        log.warning("readiness check failed component=%s: %s", name, error)
    except TimeoutError:
        log.warning("readiness check timeout component=%s timeout_s=%.0f", name, CHECK_TIMEOUT_SECONDS)
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
