"""Writes Parquet files incrementally."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from skill_arcade.export.episode_facts import ExportedEpisode
from skill_arcade.export.rows import EVENTS, build_events, build_rows, row_schema

ROW_GROUP_ROWS = 1024
"""Number of buffered rows at which a row group is written."""
ROW_GROUP_BYTES = 1 << 28
"""Size of the buffered rows at which a row group is written, if that comes first."""
# The options contain neither a date nor a host, so that equal exports have equal bytes.
_OPTIONS: dict[str, Any] = {"compression": "zstd", "compression_level": 6, "write_statistics": True}


class ParquetFile:
    """A Parquet file that is written batch by batch, buffered until a row group is full."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = pq.ParquetWriter(path, schema, **_OPTIONS)
        self._buffered: list[pa.RecordBatch] = []
        self._schema = schema

    def write(self, batch: pa.RecordBatch) -> None:
        """Append the rows of a batch."""
        if not batch.num_rows:
            return  # a row group must have rows
        self._buffered.append(batch.cast(self._schema) if batch.schema != self._schema else batch)
        n_rows = sum(buffered.num_rows for buffered in self._buffered)
        if n_rows >= ROW_GROUP_ROWS or sum(buffered.nbytes for buffered in self._buffered) >= ROW_GROUP_BYTES:
            self._flush()

    def close(self) -> None:
        """Write the buffered rows and the footer."""
        self._flush()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        if self._buffered:
            table = pa.Table.from_batches(self._buffered, self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
            self._buffered = []


def write_steps(
    episodes: Iterable[ExportedEpisode],
    steps: Path,
    events: Path,
    *,
    pictures: bool,
    label: Callable[[pa.Schema], pa.Schema] | None = None,
    reference: dict[str, Any] | None = None,
) -> None:
    """Write the rows of all episodes to one file and their events to another.

    Args:
        episodes: the episodes.
        steps: path of the file with the rows. Episodes whose observations have other types or shapes get files of their
            own, with `-1`, `-2` and so on in the name.
        events: path of the file with the events.
        pictures: whether the rows have the pictures.
        label: adds metadata to the schema; None adds none.
        reference: reference of the group, whose types and shapes apply to all episodes; None keeps those of each.
    """
    files: dict[pa.Schema, ParquetFile] = {}
    with ExitStack() as stack:
        event_file = stack.enter_context(ParquetFile(events, EVENTS))
        for exported in episodes:
            schema = row_schema(exported.episode, pictures=pictures, reference=reference)
            if schema not in files:
                path = steps.with_stem(f"{steps.stem}-{len(files)}") if files else steps
                files[schema] = stack.enter_context(ParquetFile(path, label(schema) if label else schema))
            for batch in build_rows(exported, pictures=pictures, reference=reference):
                files[schema].write(batch)
            for batch in build_events(exported).to_batches():
                event_file.write(batch)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table that fits into memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **_OPTIONS)
