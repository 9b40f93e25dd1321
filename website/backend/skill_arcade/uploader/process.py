"""The uploader's process."""

import asyncio
import gc
import signal

from skill_arcade.recording.journal_id import find_journal_id
from skill_arcade.settings import Settings
from skill_arcade.storage.database.embedded import keep_running
from skill_arcade.storage.database.engine import create_engine, database_url
from skill_arcade.storage.objects import open_objects
from skill_arcade.telemetry import set_up_logging
from skill_arcade.uploader.account_eraser import AccountEraser
from skill_arcade.uploader.shipper import Shipper
from skill_arcade.uploader.uploader import Uploader

UPLOAD_CONCURRENCY_WHILE_STOPPING = 32
"""Episodes that are uploaded at once when the server stops: 40 games in 5 s, at 200 ms for each call of the store."""


def run_uploader(settings: Settings) -> None:
    """Entry point of the process. On SIGTERM it uploads what is sealed, then exits."""
    set_up_logging(settings.log_format, settings.log_level)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tune_gc()
    asyncio.run(upload(settings))


def tune_gc() -> None:
    """Make garbage collection rare: a segment allocates about 10,000 tuples at once, and none of them is in a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def upload(settings: Settings) -> None:
    """Upload until SIGTERM."""
    stopping, uploaded = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    settings.journal_folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(database_url(settings), settings.uploader_num_workers)
    objects = open_objects(settings, workers=max(settings.uploader_num_workers, UPLOAD_CONCURRENCY_WHILE_STOPPING))
    keeping: asyncio.Task[None] | None = None
    try:
        uploader = Uploader(
            settings.journal_folder,
            objects,
            engine,
            workers=settings.uploader_num_workers,
            workers_while_stopping=UPLOAD_CONCURRENCY_WHILE_STOPPING,
            report=settings.uploader_status_path,
        )
        if settings.use_embedded_postgres:
            keeping = asyncio.create_task(keep_running(settings.postgres_folder), name="keep Postgres")
        eraser = AccountEraser(settings.journal_folder, objects, engine)
        async with asyncio.TaskGroup() as group:
            group.create_task(run_until_uploaded(uploader, stopping, uploaded), name="uploader")
            group.create_task(eraser.run(stopping), name="eraser")
            if (interval := settings.shipment_seconds) > 0:
                journal_id = find_journal_id(settings.journal_id_path)
                shipper = Shipper(settings.journal_folder, objects, journal_id, interval)
                group.create_task(shipper.run(uploaded), name="shipper")
    finally:
        if keeping is not None:
            keeping.cancel()
        await objects.close()
        await engine.dispose()


async def run_until_uploaded(uploader: Uploader, stopping: asyncio.Event, uploaded: asyncio.Event) -> None:
    """Upload until `stopping` is set, then what is left, and set `uploaded`."""
    try:
        await uploader.run(stopping)
    finally:
        uploaded.set()
