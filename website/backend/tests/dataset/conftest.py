"""Fixtures for tests of the dataset."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import URL

import skill_arcade.dataset as sa
from tests.support.recorded_episode import RecordedEpisode, record_episode

Record = Callable[..., RecordedEpisode]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def dataset(database_url: URL, folder: Path) -> Iterator[sa.Dataset]:
    with sa.open(database_url.render_as_string(False), folder) as open_dataset:
        yield open_dataset


@pytest.fixture
def record(database_url: URL, folder: Path) -> Record:
    """Return a function that records an episode; see `record_episode`."""
    return partial(record_episode, database_url, folder)
