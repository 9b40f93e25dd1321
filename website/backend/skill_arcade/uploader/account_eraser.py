"""Erases accounts: their objects, then their rows. The uploader drops what of them is still in the journal."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import ArcadeError
from skill_arcade.recording.purge import find_episodes, purge_set_aside
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.erasures import erase_episode, finish_erasure, list_unfinished, list_user_episodes
from skill_arcade.storage.objects import ObjectStore

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Interval at which the eraser looks for accounts to erase."""
PAGE = 200


class AccountEraser:
    """Finishes every erasure that was started. Each step is idempotent, so it may be stopped anywhere."""

    def __init__(self, journal: Path, objects: ObjectStore, engine: AsyncEngine) -> None:
        self._journal, self._objects, self._engine = journal, objects, engine

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll for accounts to erase until `stopping` is set. Failures are retried at the next poll."""
        while not stopping.is_set():
            try:
                await self.erase_all()
            except (ArcadeError, DBAPIError, OSError) as error:
                log.warning(
                    "erasure failed, retrying delay_s=%.0f error=%s: %s", POLL_SECONDS, type(error).__name__, error
                )
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)

    async def erase_all(self) -> None:
        """Erase, once, every account that is closed and not yet erased."""
        async with transaction(self._engine) as connection:
            users = await list_unfinished(connection)
        for user_id in users:
            if await self._erase(user_id):
                log.info("account erased")

    async def _erase(self, user_id: str) -> bool:
        """Delete what can be deleted now. Return False if the journal still holds segments of the account."""
        waiting = await asyncio.to_thread(find_episodes, self._journal, user_id)
        while True:
            async with transaction(self._engine) as connection:
                episodes = await list_user_episodes(connection, user_id, PAGE)
            if not episodes:
                break
            for episode in episodes:
                await self._erase_episode(episode)
        for episode in waiting:
            await self._erase_objects(episode)
            await asyncio.to_thread(purge_set_aside, self._journal, episode)
        if await asyncio.to_thread(find_episodes, self._journal, user_id):
            return False
        async with transaction(self._engine) as connection:
            await finish_erasure(connection, user_id)
        return True

    async def _erase_episode(self, episode: UUID) -> None:
        """Delete the objects first, because the episode's row is what they are found by."""
        await self._erase_objects(episode)
        await asyncio.to_thread(purge_set_aside, self._journal, episode)
        async with transaction(self._engine) as connection:
            await erase_episode(connection, episode)

    async def _erase_objects(self, episode: UUID) -> None:
        async for key in self._objects.list(f"episodes/{episode}/"):
            await self._objects.delete(key)
