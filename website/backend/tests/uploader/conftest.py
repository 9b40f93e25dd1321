"""Fixtures of the uploader: a journal, and an uploader of it to the object store of each module."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from skill_arcade.storage.objects import ObjectStore
from skill_arcade.uploader.uploader import Uploader


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder


@pytest.fixture
async def uploader(journal: Path, objects: ObjectStore, engine: AsyncEngine) -> Uploader:
    return Uploader(journal, objects, engine, workers=2)
