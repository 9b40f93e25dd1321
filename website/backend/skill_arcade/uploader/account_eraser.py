"""Erases accounts and withdrawn recordings: their objects, then their rows.

The uploader drops what of them is still in the journal.
"""

import asyncio
import hashlib
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from skill_arcade.errors import ArcadeError, ConsentWithdrawn
from skill_arcade.recording.purge import find_episodes, list_set_aside, purge_set_aside, read_owner
from skill_arcade.recording.records import SegmentHeader
from skill_arcade.storage.archive.rows import has_archive
from skill_arcade.storage.database.consents import (
    check_consent,
    describe_withdrawal,
    find_pending,
    finish_withdrawal,
    list_consents,
    list_withdrawn_episodes,
    reopen_withdrawal,
)
from skill_arcade.storage.database.dataset_versions import add_successors
from skill_arcade.storage.database.engine import transaction
from skill_arcade.storage.database.erasures import (
    erase_episode,
    finish_erasure,
    is_erased,
    list_user_episodes,
    reopen_erasure,
)
from skill_arcade.storage.database.work import Claim, Worker, WorkKind, finish_work, poll_pause, retry_later
from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.objects import list_prefixes
from skill_arcade.uploader.rows import find_consent_id

log = logging.getLogger(__name__)

MAX_CLAIMS = 10
"""Accounts and withdrawals that are claimed at once."""
SWEEP_SECONDS = 60.0
"""Interval at which the journal is purged of what other servers have erased."""
PAGE = 200


ERASURES = "erasures/"
"""Prefix of the objects that name erased accounts. They are kept outside of the database, which may be restored."""


WITHDRAWALS = "withdrawals/"
"""Prefix of the objects that name withdrawn consents, for the same reason."""


def erasure_key(user_id: str) -> str:
    """Return the key of the object that names an erased account."""
    return f"{ERASURES}{hashlib.sha256(user_id.encode()).hexdigest()}.json"


def withdrawal_key(consent: Row[Any]) -> str:
    """Return the key of the object that notes the present withdrawal of a consent. An object is never changed."""
    state = hashlib.sha256(json.dumps(consent.withdrawn, sort_keys=True).encode()).hexdigest()[:16]
    return f"{WITHDRAWALS}{consent.id}/{state}.json"


async def replay_erasures(objects: ObjectStore, engine: AsyncEngine) -> tuple[int, int]:
    """Begin again the erasure of each account that was erased and that a restored database still has.

    Returns the number of erased accounts, and how many of them are erased again.
    """
    n_accounts = n_reopened = 0
    async for key in objects.list(ERASURES):
        user_id = json.loads(await objects.get(key))["user_id"]
        async with transaction(engine) as connection:
            n_reopened += await reopen_erasure(connection, user_id)
        n_accounts += 1
    return n_accounts, n_reopened


async def replay_withdrawals(objects: ObjectStore, engine: AsyncEngine) -> int:
    """Withdraw again each consent that a restored database has as given. Return their number."""
    n_reopened = 0
    async for key in objects.list(WITHDRAWALS):
        fields = json.loads(await objects.get(key))
        async with transaction(engine) as connection:
            n_reopened += await reopen_withdrawal(connection, fields)
    return n_reopened


class AccountEraser:
    """Finishes every erasure and withdrawal that was started. Each step is idempotent and may be interrupted.

    Of all servers, the one that claims it erases what is shared. Each server purges its own journal.
    """

    def __init__(self, journal: Path, objects: ObjectStore, engine: AsyncEngine) -> None:
        self._journal, self._objects, self._engine = journal, objects, engine
        self._queue = Worker(engine, [WorkKind.ERASE, WorkKind.WITHDRAW])

    async def run(self, stopping: asyncio.Event) -> None:
        """Poll for work until `stopping` is set. Failures are retried."""
        n_idle_polls, swept_at = 0, -math.inf
        while not stopping.is_set():
            try:
                if time.monotonic() - swept_at >= SWEEP_SECONDS:
                    await self.purge_journal()
                    swept_at = time.monotonic()
                n_idle_polls = 0 if await self.erase_all() else n_idle_polls + 1
            except (ArcadeError, DBAPIError, OSError) as error:
                n_idle_polls = 0
                log.warning("erasure failed, retrying error=%s: %s", type(error).__name__, error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), poll_pause(n_idle_polls))

    async def erase_all(self) -> bool:
        """Erase every account that is closed and every recording that was withdrawn, unless another server does.

        Work that is not finished is tried again later, and does not hold up the rest. Return whether there was any.
        """
        has_worked = False
        while claims := await self._queue.claim(MAX_CLAIMS):
            has_worked = True
            async with self._queue.renewing():
                are_done = [await self._do(claim) for claim in claims]
            if not all(are_done):
                break
        return has_worked

    async def purge_journal(self) -> None:
        """Delete what this journal has set aside of accounts and recordings that were erased, by whichever server."""
        for place in await asyncio.to_thread(list_set_aside, self._journal):
            if (header := await asyncio.to_thread(read_owner, place)) is not None and await self._is_erased(header):
                await asyncio.to_thread(purge_set_aside, self._journal, header.episode_id)

    async def _is_erased(self, header: SegmentHeader) -> bool:
        async with transaction(self._engine) as connection:
            if await is_erased(connection, header.user_id):
                return True
            if (consent_id := find_consent_id(header)) is None:
                return False
            try:
                await check_consent(connection, consent_id, header.user_id)
            except ConsentWithdrawn:
                return True
        return False

    async def _do(self, claim: Claim) -> bool:
        """Erase or withdraw. Return False if it is to be tried again."""
        try:
            if claim.kind is WorkKind.ERASE:
                return await self._erase(claim)
            await self._carry_out(claim)
        except Exception as error:  # noqa: BLE001  (one that fails must not stop the others)
            log.warning("erasure failed, retrying kind=%s error=%s: %s", claim.kind, type(error).__name__, error)
            async with transaction(self._engine) as connection:
                await retry_later(connection, claim)
            return False
        return True

    async def _carry_out(self, claim: Claim) -> None:
        """Note a withdrawal outside of the database, and erase the recordings if nothing of them is allowed any more.

        What the journal still holds is dropped when it is uploaded.
        """
        async with transaction(self._engine) as connection:
            consent = await find_pending(connection, UUID(claim.subject))
        if consent is not None:
            await self._objects.put(withdrawal_key(consent), json.dumps(describe_withdrawal(consent)).encode())
            if consent.time_withdrawn is not None:
                await self._erase_episodes(lambda connection: list_withdrawn_episodes(connection, consent, PAGE))
                await self._erase_prefix(f"exports/{consent.user_id}/")
        async with transaction(self._engine) as connection:
            if consent is not None:
                await add_successors(connection)
                await finish_withdrawal(connection, consent)
            await finish_work(connection, claim)
        log.info("withdrawal carried out consent=%s", claim.subject)

    async def _erase_episodes(self, list_page: Callable[[AsyncConnection], Awaitable[Sequence[UUID]]]) -> None:
        """Erase episodes page by page, until there are none."""
        while True:
            async with transaction(self._engine) as connection:
                episodes = await list_page(connection)
            if not episodes:
                return
            await self._erase_archived(episodes)
            for episode in episodes:
                await self._erase_episode(episode)

    async def _erase_archived(self, episodes: Sequence[UUID]) -> None:
        """Remove the transitions of episodes from the archive, together, because an object has those of several."""
        async with transaction(self._engine) as connection:
            if not await has_archive(connection, episodes):
                return
        from skill_arcade.storage.archive.removal import remove_archived  # noqa: PLC0415  (imports pyarrow: 35 MB)

        await remove_archived(self._engine, self._objects, episodes)

    async def _erase_prefix(self, prefix: str) -> None:
        """Delete the objects whose keys begin with `prefix`."""
        async for key in self._objects.list(prefix):
            await self._objects.delete(key)

    async def _erase(self, claim: Claim) -> bool:
        """Delete what can be deleted now. Return False if the journal still holds segments of the account."""
        user_id = claim.subject
        # First, because a restored database may know the account and not its erasure.
        await self._objects.put(erasure_key(user_id), json.dumps({"user_id": user_id}).encode())
        waiting = await asyncio.to_thread(find_episodes, self._journal, user_id)
        await self._erase_episodes(lambda connection: list_user_episodes(connection, user_id, PAGE))
        for episode in waiting:
            await self._erase_objects(episode)
            await asyncio.to_thread(purge_set_aside, self._journal, episode)
        async with transaction(self._engine) as connection:
            consents = await list_consents(connection, user_id)
        for prefix in (f"exports/{user_id}/", *(f"{WITHDRAWALS}{consent}/" for consent in consents)):
            await self._erase_prefix(prefix)
        is_waiting = await asyncio.to_thread(find_episodes, self._journal, user_id)
        async with transaction(self._engine) as connection:
            if is_waiting:
                await retry_later(connection, claim, timedelta())  # at the next poll
            else:
                await add_successors(connection)
                await finish_erasure(connection, user_id)
        if not is_waiting:
            log.info("account erased")
        return not is_waiting

    async def _erase_episode(self, episode: UUID) -> None:
        """Delete the objects first, because the episode's row is what they are found by."""
        await self._erase_objects(episode)
        await asyncio.to_thread(purge_set_aside, self._journal, episode)
        async with transaction(self._engine) as connection:
            await erase_episode(connection, episode)

    async def _erase_objects(self, episode: UUID) -> None:
        for prefix in list_prefixes(episode):
            await self._erase_prefix(prefix)
