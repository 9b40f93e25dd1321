"""Erase accounts: their objects, then their rows. The courier drops what of them is still in the journal."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.errors import ArcadeError
from skill_arcade.recording.purge import find_episodes, purge_damaged
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.erasures import erase_episode, finish_erasure, list_unfinished, list_user_episodes
from skill_arcade.storage.objects import ObjectStore

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Interval at which the eraser looks for accounts to erase."""
PAGE = 200


class AccountEraser:
    """Finishes every erasure that was begun, however often it is stopped on the way: each step may be repeated."""

    def __init__(self, journal: Path, objects: ObjectStore, engine: AsyncEngine) -> None:
        self._journal, self._objects, self._engine = journal, objects, engine

    async def run(self, stopping: asyncio.Event) -> None:
        """Look for accounts to erase until told to stop. What can't be done now is tried again."""
        while not stopping.is_set():
            try:
                await self.erase_all()
            except (ArcadeError, DBAPIError, OSError) as trouble:
                log.warning("an erasure waits %.0f s: %s: %s", POLL_SECONDS, type(trouble).__name__, trouble)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), POLL_SECONDS)

    async def erase_all(self) -> None:
        """Go once through all accounts that are closed and not gone yet."""
        async with transaction(self._engine) as connection:
            users = await list_unfinished(connection)
        for user_id in users:
            if await self._erase(user_id):
                log.info("an account is erased, with all that was recorded of it")

    async def _erase(self, user_id: str) -> bool:
        """Remove all that can be removed now. False: something of the account is still in the journal."""
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
            await asyncio.to_thread(purge_damaged, self._journal, episode)
        if await asyncio.to_thread(find_episodes, self._journal, user_id):
            return False
        async with transaction(self._engine) as connection:
            await finish_erasure(connection, user_id)
        return True

    async def _erase_episode(self, episode: UUID) -> None:
        """Objects first: as long as its row is there, what is left can be found."""
        await self._erase_objects(episode)
        await asyncio.to_thread(purge_damaged, self._journal, episode)
        async with transaction(self._engine) as connection:
            await erase_episode(connection, episode)

    async def _erase_objects(self, episode: UUID) -> None:
        async for key in self._objects.list(f"episodes/{episode}/"):
            await self._objects.delete(key)
