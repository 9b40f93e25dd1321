"""Ships a server's open journals to the object store, so that little is lost with its disk (rule R34)."""

import asyncio
import logging
import time
from pathlib import Path
from uuid import UUID

from skill_arcade.errors import ObjectMissing
from skill_arcade.recording.segment import Segment
from skill_arcade.recording.shipment import JournalFollower, pack_shipment, read_shipment, shipment_prefix
from skill_arcade.storage.objects import ObjectStore

log = logging.getLogger(__name__)


class Shipper:
    """Stores what the journal has and the store does not, as one object, which replaces the one before.

    Each object has all of it, so that one that fails is made up for by the next. An object has a key of its own,
    because the store does not overwrite, and Google allows one write a second of a key.
    """

    def __init__(self, journal_folder: Path, objects: ObjectStore, journal_id: UUID, interval_seconds: float) -> None:
        self._follower = JournalFollower(journal_folder)
        self._objects, self._prefix, self._interval = objects, shipment_prefix(journal_id), interval_seconds
        self._shipped, self._last_number = b"", 0
        self._old: list[str] | None = None
        """Keys of earlier shipments, None until they were listed: a process before may have left one."""
        self._is_failing = False

    async def run(self, uploaded: asyncio.Event) -> None:
        """Ship until the uploader has stopped; `uploaded` is set then."""
        loop = asyncio.get_running_loop()
        while not uploaded.is_set():
            started_at = loop.time()
            await self.try_ship()
            try:
                await asyncio.wait_for(uploaded.wait(), max(0.0, self._interval - (loop.time() - started_at)))
            except TimeoutError:
                continue
        await self.try_ship()

    async def try_ship(self) -> None:
        """Ship once. A failure is logged, once in a row, and the next shipment has everything."""
        try:
            await self.ship()
        except Exception as error:  # noqa: BLE001  (whatever it is, uploading goes on)
            if not self._is_failing:
                log.warning("cannot ship open journals, retrying error=%s: %s", type(error).__name__, error)
            self._is_failing = True
        else:
            self._is_failing = False

    async def ship(self) -> None:
        """Store a shipment if anything has changed, then delete the earlier ones. Without records there is none.

        Raises:
            NotReady: the object store does not answer.
        """
        records = await asyncio.to_thread(self._follower.read)
        if self._old is None:
            self._old = [key async for key in self._objects.list(self._prefix)]
        if records and records == self._shipped:
            return
        new = []
        if records:
            self._last_number = max(self._last_number + 1, time.time_ns())
            key = f"{self._prefix}{self._last_number:020d}"
            await self._objects.put(key, await asyncio.to_thread(pack_shipment, records))
            new = [key]
        self._shipped, old, self._old = records, self._old, new + self._old
        for key in old:
            await self._objects.delete(key)
            self._old.remove(key)


async def find_shipped(objects: ObjectStore, journal_id: UUID) -> list[Segment]:
    """Return the segments of a journal's newest shipment, or nothing.

    Raises:
        NotReady: the object store does not answer.
    """
    keys = [key async for key in objects.list(shipment_prefix(journal_id))]
    for key in sorted(keys, reverse=True):
        try:
            return read_shipment(await objects.get(key))
        except ObjectMissing:
            continue  # replaced meanwhile
        except ValueError as error:
            log.error("cannot read a shipment, using the one before key=%s: %s", key, error)
    return []


async def delete_shipments(objects: ObjectStore, journal_id: UUID) -> None:
    """Delete the shipments of a journal. Raises NotReady."""
    for key in [key async for key in objects.list(shipment_prefix(journal_id))]:
        await objects.delete(key)
