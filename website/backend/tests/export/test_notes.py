"""Notes are in every export, under pseudonyms, also the retracted ones."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import make_url

from skill_arcade.export.formats import FormatName
from skill_arcade.export.tfrecord import read_example, read_records
from skill_arcade.storage.database.notes import add_note, retract_note
from tests.conftest import opened_engine
from tests.export.conftest import Arcade, Export

TEXT = 'He said "now",\nthen waited.'


@pytest.fixture(scope="module", autouse=True)
def notes(arcade: Arcade) -> None:
    """Two notes on an episode, one of them retracted."""
    episode = next(arcade.dataset.episodes(game="tower-of-hanoi"))

    async def write() -> None:
        fields = {
            "author_role": "player",
            "step_from": 1,
            "step_to": 4,
            "tag": "mistake",
            "vocabulary": 1,
            "text": TEXT,
        }
        async with opened_engine(make_url(str(arcade.settings.database_url))) as engine, engine.begin() as connection:
            await add_note(connection, episode.id, "user", fields)
            other = await add_note(connection, episode.id, "user", fields | {"step_from": 2, "tag": None})
            await retract_note(connection, episode.id, other.id, "user")

    asyncio.run(write())


def read_notes(format_: FormatName, folder: Path) -> list[dict[str, Any]]:
    """Return the notes in an export."""
    match format_:
        case FormatName.tables:
            rows: list[dict[str, Any]] = pq.read_table(folder / "note").to_pylist()
            return rows
        case FormatName.minari:
            metadata = [json.loads(path.read_text()) for path in folder.rglob("data/*/metadata.json")]
        case FormatName.rlds:
            paths = folder.rglob("*.tfrecord-*")
            examples = [read_example(record) for path in paths for record in read_records(path)]
            metadata = [json.loads(example["episode_metadata/facts"][0]) for example in examples]
        case _:
            name = "facts.parquet" if format_ is FormatName.lerobot else "episodes.parquet"
            tables = [pq.read_table(path, partitioning=None) for path in folder.rglob(name)]
            metadata = [{"notes": json.loads(text)} for table in tables for text in table["notes"].to_pylist()]
    return [note for facts in metadata for note in facts["notes"]]


@pytest.mark.parametrize("format_", FormatName)
def test_export_has_notes_and_retractions_without_ids(format_: FormatName, export: Export) -> None:
    exported = export(format_)
    first, second = read_notes(format_, exported.folder)
    assert (first["step_from"], first["step_to"], first["tag"], first["text"]) == (1, 4, "mistake", TEXT)
    assert (second["step_from"], second["tag"], second["vocabulary"]) == (2, None, 1)
    assert first["time_retracted"] is None
    assert second["time_retracted"] is not None
    assert first.get("author_id") != "user"


def test_dataset_has_the_notes_of_an_episode(arcade: Arcade) -> None:
    episode = next(arcade.dataset.episodes(game="tower-of-hanoi"))
    first, second = episode.notes
    assert (first.text, first.time_retracted) == (TEXT, None)
    assert second.time_retracted is not None
    assert second.time_retracted <= datetime.now(UTC)
