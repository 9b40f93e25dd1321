"""A process that archives, and kills itself at a chosen point: before a commit, or before or after a call of the store.

`skill_arcade` is not changed for it: its functions are wrapped here.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import make_url

from skill_arcade.storage.archive import archiver, removal
from skill_arcade.storage.archive.archiver import Archiver
from skill_arcade.storage.archive.removal import remove_archived
from skill_arcade.storage.database import engine
from skill_arcade.storage.objects.disk import DiskObjects
from tests.support.archive import ANY_AGE
from tests.support.database import opened_engine

_transaction = engine.transaction


class Countdown:
    """Kills the process at point `at`, from 0 on."""

    def __init__(self, at: int) -> None:
        self._left = at

    def pass_point(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


class KillingObjects(DiskObjects):
    """A store at whose calls the process may be killed."""

    def __init__(self, folder: Path, countdown: Countdown) -> None:
        super().__init__(folder)
        self._countdown = countdown

    async def put(self, key: str, data: bytes) -> None:
        self._countdown.pass_point()
        await super().put(key, data)
        self._countdown.pass_point()

    async def delete(self, key: str) -> None:
        self._countdown.pass_point()
        await super().delete(key)
        self._countdown.pass_point()


def run(url: str, folder: Path, at: int, erased: list[UUID]) -> None:
    """Archive, or remove `erased` from the archive if there are any, and kill this process at a point."""
    countdown = Countdown(at)

    @asynccontextmanager
    async def killing_transaction(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async with _transaction(*arguments, **options) as connection:
            yield connection
            countdown.pass_point()

    for module in (archiver, removal):
        setattr(module, "transaction", killing_transaction)  # noqa: B010  (mypy knows only what a module exports)

    async def work() -> None:
        objects = KillingObjects(folder, countdown)
        async with opened_engine(make_url(url)) as opened:
            if erased:
                await remove_archived(opened, objects, erased)
            else:
                await Archiver(opened, objects).run(ANY_AGE)

    asyncio.run(work())
