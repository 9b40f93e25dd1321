"""SIGTERM: all is uploaded within the grace period, with as many games as a server takes and a slow store."""

import asyncio
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.settings import Settings
from skill_arcade.storage.objects import open_objects
from skill_arcade.uploader.process import UPLOAD_CONCURRENCY_WHILE_STOPPING
from skill_arcade.uploader.uploader import Uploader
from skill_arcade.web.lifespan import UPLOADER_GRACE_SECONDS
from tests.support.cloud.storage import storage_server
from tests.support.journals import write_episode

pytestmark = pytest.mark.anyio
MAX_GAMES = 40  # of a server on Cloud Run: website/deploy/release/production.py
SEGMENTS_PER_GAME = 2  # the one that was open, and the one before it, which waits for its turn
STORAGE_CALL_SECONDS = 0.2


async def test_stop_with_all_games_and_slow_store_uploads_all_within_grace_period(
    tmp_path: Path, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "journal"
    for _ in range(MAX_GAMES):
        write_episode(journal, segments=(20,) * SEGMENTS_PER_GAME)
    with storage_server() as server:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.address)
        server.delay_seconds = STORAGE_CALL_SECONDS
        settings = Settings(_env_file=None, skill_arcade_home=tmp_path, gcp_bucket_name=server.bucket.name)
        objects = open_objects(settings, workers=UPLOAD_CONCURRENCY_WHILE_STOPPING)
        uploader = Uploader(
            journal,
            objects,
            engine,
            workers=settings.uploader_num_workers,
            workers_while_stopping=UPLOAD_CONCURRENCY_WHILE_STOPPING,
        )
        stopping = asyncio.Event()
        stopping.set()
        started_at = time.monotonic()
        async with asyncio.timeout(60):
            await uploader.run(stopping)
        seconds = time.monotonic() - started_at
        await objects.close()
        n_puts = len(server.bucket.objects)
    assert n_puts >= MAX_GAMES * SEGMENTS_PER_GAME
    # One at a time, or as many as while games run, the store alone would take longer than this.
    assert n_puts * STORAGE_CALL_SECONDS / settings.uploader_num_workers > 0.7 * UPLOADER_GRACE_SECONDS
    assert seconds < UPLOADER_GRACE_SECONDS
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM segment"))).scalar() == (
            MAX_GAMES * SEGMENTS_PER_GAME
        )
