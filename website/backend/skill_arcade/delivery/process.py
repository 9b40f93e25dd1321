"""Delivery as a process of its own, and who keeps it running."""

import asyncio
import logging
import multiprocessing
import signal
from multiprocessing.process import BaseProcess

from skill_arcade.delivery.courier import Courier
from skill_arcade.settings import Settings
from skill_arcade.storage.database.engine import create_engine, database_url
from skill_arcade.storage.objects import open_objects

log = logging.getLogger(__name__)

RESTART_SECONDS = 1.0


def run_delivery(settings: Settings) -> None:
    """Main of the delivery process. SIGTERM: deliver what is sealed, then end."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s delivery: %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(deliver(settings))


async def deliver(settings: Settings) -> None:
    """Deliver until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    settings.journal_folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(database_url(settings))
    objects = open_objects(settings)
    try:
        courier = Courier(settings.journal_folder, objects, engine, workers=settings.uploader_num_workers)
        await courier.run(stopping)
    finally:
        await objects.close()
        await engine.dispose()


class DeliveryService:
    """Keeps one delivery process running beside the server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = multiprocessing.get_context("spawn")
        self._process: BaseProcess | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """Process id, while it runs."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start it, and start it again whenever it dies."""
        self._watch = asyncio.create_task(self._keep_running())

    async def stop(self, grace_seconds: float = 8.0) -> None:
        """Let it deliver what is sealed, within the grace period. What is left then is delivered at the next start."""
        self._stopping = True
        process = self._process
        if process is not None and process.is_alive():
            process.terminate()
            await asyncio.to_thread(process.join, grace_seconds)
            if process.is_alive():
                log.warning(
                    "delivery is not done after %.0f s; the rest waits on disk for the next start", grace_seconds
                )
                process.kill()
        if self._watch is not None:
            await self._watch

    async def _keep_running(self) -> None:
        while not self._stopping:
            self._process = self._context.Process(target=run_delivery, args=(self._settings,), name="delivery")
            await asyncio.to_thread(self._process.start)
            await asyncio.to_thread(self._process.join)
            if not self._stopping:
                log.error("delivery ended with code %s; it starts again", self._process.exitcode)
                await asyncio.sleep(RESTART_SECONDS)
