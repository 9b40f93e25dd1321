"""Parquet files, written some rows at a time."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.rows import EVENTS, build_events, build_rows, row_schema

ROW_GROUP = 1024
# In the footer of every file; a date or a host would make equal exports differ.
_OPTIONS: dict[str, Any] = {"compression": "zstd", "compression_level": 6, "write_statistics": True}


class ParquetFile:
    """A Parquet file that is written batch by batch; rows wait until a row group is full."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(path, schema, **_OPTIONS)
        self._waiting: list[pa.RecordBatch] = []
        self._schema = schema

    def write(self, batch: pa.RecordBatch) -> None:
        """Add rows."""
        self._waiting.append(batch.cast(self._schema) if batch.schema != self._schema else batch)
        if sum(one.num_rows for one in self._waiting) >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
            self._waiting = []


def write_steps(
    episodes: Iterable[ExportedEpisode],
    steps: Path,
    events: Path,
    *,
    pictures: bool,
    label: Callable[[pa.Schema], pa.Schema] | None = None,
) -> None:
    """Write rows of all episodes in one file and their events in another; `label` adds metadata to the columns."""
    rows: ParquetFile | None = None
    happened = ParquetFile(events, EVENTS)
    for numbered in episodes:
        if rows is None:
            schema = row_schema(numbered.episode, pictures=pictures)
            rows = ParquetFile(steps, label(schema) if label else schema)
        for batch in build_rows(numbered, pictures=pictures):
            rows.write(batch)
        for batch in build_events(numbered).to_batches():
            happened.write(batch)
    happened.close()
    if rows is not None:
        rows.close()


def write_table(table: pa.Table, path: Path) -> None:
    """Write a small table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **_OPTIONS)
